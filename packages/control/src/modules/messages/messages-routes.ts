/** `POST /v1/messages` and what may be read afterwards: a message's state, and for approvers the log and the directory. */
import type { Server } from '@sealpost/platform';
import {
  type ConsoleSession,
  controlApi,
  gatewayApi,
  memberIdSchema,
  messageIdSchema,
  type Principal,
  problemSchema,
} from '@sealpost/protocol';
import { z } from 'zod';
import type { GatewayClient } from '../../gateway/gateway-client.ts';
import type { Identity, RequestHeaders } from '../identity/index.ts';
import type { Messages } from './messages.ts';
import { messagesError } from './messages-errors.ts';

export interface MessagesRoutesDeps {
  readonly messages: Messages;
  readonly identity: Pick<Identity, 'authenticated'>;
  readonly gateway: Pick<GatewayClient, 'directory' | 'exportLog'>;
}

const messageParams = z.strictObject({ message: messageIdSchema });
const memberParams = z.strictObject({ member: memberIdSchema });
/** 100,000 letters of body and 100 facts, at up to six bytes each as escaped JSON. */
const MESSAGE_BODY = 1_000_000;

export function registerMessagesRoutes(server: Server, { messages, identity, gateway }: MessagesRoutesDeps): void {
  const requireApprover = async (headers: RequestHeaders) => {
    const principal = await identity.authenticated(headers);
    if (principal.kind !== 'approver') throw messagesError('ERR_MESSAGES_OPERATOR');
  };

  server.post(
    '/v1/messages',
    {
      bodyLimit: MESSAGE_BODY,
      schema: {
        summary: 'Send a message; answered once the gateway has taken it',
        body: controlApi.messageRequestSchema,
        response: { 202: controlApi.messageAcceptedSchema, default: problemSchema },
      },
      // Before the body is looked at: strangers learn nothing of what it would have to be.
      onRequest: async (request) => void (await identity.authenticated(request.headers)),
    },
    async (request, reply) => {
      const principal = await identity.authenticated(request.headers);
      const accepted = await messages.send(principal, request.body, keyOf(request.headers['idempotency-key']));
      return reply.code(202).send(accepted);
    },
  );

  registerStatusRoute(server, messages, identity.authenticated);

  server.delete(
    '/v1/messages/:message',
    {
      schema: {
        summary: 'Take a message back, for who sent it and for approvers; nothing more of it is sent',
        params: messageParams,
        response: { 202: gatewayApi.revokeAnswerSchema, default: problemSchema },
      },
      onRequest: async (request) => void (await identity.authenticated(request.headers)),
    },
    async ({ headers, params }, reply) =>
      reply.code(202).send(await messages.revoke(await identity.authenticated(headers), params.message)),
  );

  server.get(
    '/v1/directory/:member',
    {
      schema: {
        summary: 'A member’s directory entries with their evidence, for approvers',
        params: memberParams,
        response: { 200: gatewayApi.directoryAnswerSchema, default: problemSchema },
      },
    },
    async (request) => {
      await requireApprover(request.headers);
      return gateway.directory(request.params.member);
    },
  );

  server.get(
    '/v1/log/export',
    {
      schema: {
        summary: 'The whole log, line by line, for approvers',
        produces: ['text/plain'],
        response: { 200: z.unknown() },
      },
    },
    async (request, reply) => {
      await requireApprover(request.headers);
      return reply.type('text/plain; charset=utf-8').send(await gateway.exportLog());
    },
  );
}

/** `GET /v1/messages/:message`, on each listener for those who may read there. */
export function registerStatusRoute(
  server: Server,
  messages: Messages,
  reader: (headers: RequestHeaders) => Promise<Principal | ConsoleSession>,
): void {
  server.get(
    '/v1/messages/:message',
    {
      schema: {
        summary: 'State and timeline of a message',
        params: messageParams,
        response: { 200: controlApi.messageStatusSchema, default: problemSchema },
      },
    },
    async ({ headers, params }) => messages.status(await reader(headers), params.message),
  );
}

function keyOf(header: string | string[] | undefined): string {
  if (typeof header !== 'string') throw messagesError('ERR_MESSAGES_KEY');
  return header;
}
