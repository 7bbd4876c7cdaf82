/** `/v1/subscriptions`: for applications, each its own. */
import type { Server } from '@sealpost/platform';
import { controlApi, problemSchema } from '@sealpost/protocol';
import { z } from 'zod';
import type { Identity, RequestHeaders } from '../identity/index.ts';
import type { Subscriptions } from './subscriptions.ts';

export interface SubscriptionsRoutesDeps {
  readonly subscriptions: Subscriptions;
  readonly identity: Pick<Identity, 'authenticated'>;
}

const one = z.strictObject({ subscription: controlApi.subscriptionIdSchema });
const letter = z.strictObject({ subscription: controlApi.subscriptionIdSchema, event: z.uuid() });
const BODY = 8192;
const failures = { default: problemSchema };

export function registerSubscriptionsRoutes(
  server: Server,
  { subscriptions, identity }: SubscriptionsRoutesDeps,
): void {
  const { authenticated } = identity;
  /** Before anything else is looked at: strangers learn nothing of what it would have to be. */
  const onRequest = async ({ headers }: { readonly headers: RequestHeaders }) => void (await authenticated(headers));
  server.post(
    '/v1/subscriptions',
    {
      bodyLimit: BODY,
      onRequest,
      schema: {
        summary: 'Have events of the token’s flow delivered to an address',
        body: controlApi.subscriptionRequestSchema,
        response: { 201: controlApi.subscriptionMadeSchema, ...failures },
      },
    },
    async ({ headers, body }, reply) =>
      reply.code(201).send(await subscriptions.add(await authenticated(headers), body)),
  );
  server.get(
    '/v1/subscriptions',
    {
      onRequest,
      schema: {
        summary: 'An application’s subscriptions, and the key that signs their deliveries',
        response: { 200: controlApi.subscriptionsSchema, ...failures },
      },
    },
    async ({ headers }) => subscriptions.list(await authenticated(headers)),
  );
  server.delete(
    '/v1/subscriptions/:subscription',
    {
      onRequest,
      schema: {
        summary: 'End a subscription; what is not delivered yet goes with it',
        params: one,
        response: { 204: z.null(), ...failures },
      },
    },
    async ({ headers, params }, reply) => {
      await subscriptions.remove(await authenticated(headers), params.subscription);
      return reply.code(204).send(null);
    },
  );
  server.post(
    '/v1/subscriptions/:subscription/secret',
    {
      bodyLimit: BODY,
      onRequest,
      schema: {
        summary: 'A new secret; the one before signs beside it for a day',
        params: one,
        response: { 200: controlApi.subscriptionMadeSchema, ...failures },
      },
    },
    async ({ headers, params }) => subscriptions.rotate(await authenticated(headers), params.subscription),
  );
  server.get(
    '/v1/subscriptions/:subscription/dead-letters',
    {
      onRequest,
      schema: {
        summary: 'Events that were given up after the last try',
        params: one,
        response: { 200: controlApi.deadLettersSchema, ...failures },
      },
    },
    async ({ headers, params }) => subscriptions.deadLetters(await authenticated(headers), params.subscription),
  );
  server.post(
    '/v1/subscriptions/:subscription/dead-letters/replay',
    {
      bodyLimit: BODY,
      onRequest,
      schema: {
        summary: 'Deliver all dead letters again',
        params: one,
        response: { 200: controlApi.replayedSchema, ...failures },
      },
    },
    async ({ headers, params: { subscription } }) => ({
      replayed: await subscriptions.replay(await authenticated(headers), subscription),
    }),
  );
  server.post(
    '/v1/subscriptions/:subscription/dead-letters/:event/replay',
    {
      bodyLimit: BODY,
      onRequest,
      schema: {
        summary: 'Deliver one dead letter again',
        params: letter,
        response: { 200: controlApi.replayedSchema, ...failures },
      },
    },
    async ({ headers, params: { subscription, event } }) => ({
      replayed: await subscriptions.replay(await authenticated(headers), subscription, event),
    }),
  );
}
