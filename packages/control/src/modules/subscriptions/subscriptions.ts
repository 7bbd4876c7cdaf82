/**
 * Subscriptions: an application says where it wants which events of its flows. `publish` belongs into the transaction that
 * makes the event true, so that one is neither lost nor told of something that was rolled back; `deliver.ts` sends it on.
 */
import type { Signer } from '@sealpost/crypto/signer';
import type { Database, Sql, Surroundings } from '@sealpost/platform';
import { controlApi, flowNameSchema, type Organisation, type Principal } from '@sealpost/protocol';
import { z } from 'zod';
import { cloudEvent, type NewEvent } from './cloud-event.ts';
import {
  type Audience,
  addDelivery,
  addSubscription,
  audienceOf,
  eventPlace,
  listDead,
  listSubscriptions,
  replayDead,
  sealAt,
  secretPlace,
} from './subscription-store.ts';
import { subscriptionsError } from './subscriptions-errors.ts';
import { publicKeyText, secretText } from './webhook-signature.ts';

type SubscriptionId = controlApi.SubscriptionId;
type Request = z.output<typeof controlApi.subscriptionRequestSchema>;
type Made = z.output<typeof controlApi.subscriptionMadeSchema>;

export interface Subscriptions {
  /** The secret is shown here and never again. */
  add(principal: Principal, request: Request): Promise<Made>;
  list(principal: Principal): Promise<z.output<typeof controlApi.subscriptionsSchema>>;
  remove(principal: Principal, subscription: SubscriptionId): Promise<void>;
  /** A new secret; the one before signs beside it for a day. */
  rotate(principal: Principal, subscription: SubscriptionId): Promise<Made>;
  deadLetters(
    principal: Principal,
    subscription: SubscriptionId,
  ): Promise<z.output<typeof controlApi.deadLettersSchema>>;
  /** One, or all where `event` is not given; answers how many. */
  replay(principal: Principal, subscription: SubscriptionId, event?: string): Promise<number>;
  /** Durable with the caller's transaction for everybody in the audience. */
  publish(tx: Sql, audience: Audience, event: NewEvent): Promise<void>;
}

export interface SubscriptionsDeps {
  readonly database: Database;
  /** Ed25519; signs deliveries. */
  readonly signer: Signer;
  /** 32 bytes. */
  readonly storageKey: Uint8Array;
  readonly organisation: Organisation;
  /** Where subscribers may be although private, and over plain HTTP. */
  readonly unsafeHosts: readonly string[];
  readonly surroundings: Surroundings;
}

const MOST = 20;
/** Standard Webhooks asks for 24 to 64 bytes. */
const SECRET_LENGTH = 32;
const EARLIER_SIGNS = 86_400_000;

export function createSubscriptions(deps: SubscriptionsDeps): Subscriptions {
  const { database, signer, storageKey, organisation, surroundings } = deps;
  const made = (subscription: SubscriptionId, secret: Uint8Array): Made => ({
    subscription,
    secret: secretText(secret),
    publicKey: publicKeyText(signer),
  });
  const owned = async (principal: Principal, subscription: SubscriptionId) => {
    const mine = await listSubscriptions(database, applicationOf(principal));
    if (!mine.some((each) => each.subscription === subscription)) throw subscriptionsError('ERR_SUBSCRIPTIONS_MISSING');
  };
  return {
    async add(principal, { url, types, flow }) {
      const application = applicationOf(principal);
      const flows = flowsOf(principal, flow);
      if (!mayBeSubscribed(url, deps.unsafeHosts)) throw subscriptionsError('ERR_SUBSCRIPTIONS_URL');
      const subscription = controlApi.subscriptionIdSchema.parse(surroundings.uuid());
      const secret = surroundings.random(SECRET_LENGTH);
      const sealed = await sealAt(secretPlace(subscription), secret, storageKey);
      await database.transaction(async (tx) => {
        await tx.query('subscription-count-alone', 'SELECT 1 FROM application WHERE application = $1 FOR UPDATE', [
          application,
        ]);
        if ((await listSubscriptions(tx, application)).length >= MOST)
          throw subscriptionsError('ERR_SUBSCRIPTIONS_MANY');
        const row = { subscription, application, url, types: [...new Set(types)], flows, secret: sealed };
        await addSubscription(tx, { ...row, created: surroundings.now() });
      });
      return made(subscription, secret);
    },
    async list(principal) {
      const subscriptions = await listSubscriptions(database, applicationOf(principal));
      return { publicKey: publicKeyText(signer), subscriptions };
    },
    async remove(principal, subscription) {
      await owned(principal, subscription);
      await database.query('subscription-remove', 'DELETE FROM subscription WHERE subscription = $1', [subscription]);
    },
    async rotate(principal, subscription) {
      await owned(principal, subscription);
      const secret = surroundings.random(SECRET_LENGTH);
      await database.query(
        'subscription-rotate',
        `UPDATE subscription SET earlier_secret = secret, earlier_until = $3, secret = $2 WHERE subscription = $1`,
        [subscription, await sealAt(secretPlace(subscription), secret, storageKey), surroundings.now() + EARLIER_SIGNS],
      );
      return made(subscription, secret);
    },
    async deadLetters(principal, subscription) {
      await owned(principal, subscription);
      return { deadLetters: await listDead(database, subscription) };
    },
    async replay(principal, subscription, event) {
      await owned(principal, subscription);
      const replayed = await database.transaction((tx) => replayDead(tx, subscription, surroundings.now(), event));
      if (replayed === 0 && event !== undefined) throw subscriptionsError('ERR_SUBSCRIPTIONS_MISSING');
      return replayed;
    },
    async publish(tx, audience, event) {
      const id = surroundings.uuid();
      const body = cloudEvent(id, organisation, event);
      for (const subscription of await audienceOf(tx, event.type, audience)) {
        const sealed = await sealAt(eventPlace(id, subscription), body, storageKey);
        await addDelivery(tx, { event: id, subscription, type: event.type, body: sealed, now: surroundings.now() });
      }
    },
  };
}

function applicationOf(principal: Principal): string {
  if (principal.kind !== 'application') throw subscriptionsError('ERR_SUBSCRIPTIONS_APPLICATION');
  return principal.id;
}

function flowsOf(principal: Principal, flow: string | undefined) {
  const granted = principal.kind === 'application' ? principal.flows : [];
  if (flow !== undefined && !granted.includes(flow)) throw subscriptionsError('ERR_SUBSCRIPTIONS_FLOW');
  return z.array(flowNameSchema).parse(flow === undefined ? granted : [flow]);
}

/** Where the name leads is judged at each delivery: it may lead elsewhere by then. */
function mayBeSubscribed(text: string, unsafeHosts: readonly string[]): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.username !== '' || url.password !== '' || text.includes('#')) return false;
  const listed = unsafeHosts.includes(url.hostname) || unsafeHosts.includes(url.host);
  return url.protocol === 'https:' || (url.protocol === 'http:' && listed);
}
