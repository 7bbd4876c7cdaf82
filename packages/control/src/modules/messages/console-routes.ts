/**
 * What the console reads, on its own listener and for its sessions alone: recent messages, a message's timeline and what
 * proves it, the flows as they run, the log's head, and a long poll for change. Names, times and states; no content, no
 * address. Nothing here writes.
 */
import type { Server } from '@sealpost/platform';
import {
  type CompiledFlow,
  type ConsoleFlow,
  controlApi,
  gatewayApi,
  type LogEvent,
  messageIdSchema,
  problemSchema,
} from '@sealpost/protocol';
import { z } from 'zod';
import type { GatewayClient } from '../../gateway/gateway-client.ts';
import { gatewayError } from '../../gateway/gateway-errors.ts';
import type { Flows } from '../flows/index.ts';
import type { Identity } from '../identity/index.ts';
import type { LogSource } from '../witness/index.ts';
import type { Messages } from './messages.ts';
import { registerStatusRoute } from './messages-routes.ts';

export interface ConsoleRoutesDeps {
  readonly messages: Messages;
  readonly identity: Pick<Identity, 'console'>;
  readonly flows: Pick<Flows, 'current'>;
  readonly gateway: Pick<GatewayClient, 'events'>;
  readonly log: Pick<LogSource, 'checkpoint'>;
}

const messageParams = z.strictObject({ message: messageIdSchema });
const CHANGES_AT_ONCE = 100;
const answers = <Schema extends z.ZodType>(schema: Schema) => ({ 200: schema, default: problemSchema });

export function registerConsoleRoutes(server: Server, deps: ConsoleRoutesDeps): void {
  const { messages, identity, flows, gateway, log } = deps;
  const reader = identity.console.authenticated;

  server.get(
    '/v1/console/messages',
    { schema: { summary: 'The newest fifty messages', response: answers(controlApi.consoleMessagesSchema) } },
    async ({ headers }) => {
      await reader(headers);
      return { messages: await messages.newest() };
    },
  );

  registerStatusRoute(server, messages, reader);

  server.get(
    '/v1/messages/:message/evidence',
    {
      schema: {
        summary: 'What proves a message’s log entries after a position',
        params: messageParams,
        querystring: gatewayApi.evidenceQuerySchema,
        response: answers(gatewayApi.messageEvidenceSchema),
      },
    },
    async ({ headers, params, query }) => {
      await reader(headers);
      return messages.evidence(params.message, query.after, query.limit);
    },
  );

  server.get(
    '/v1/console/changes',
    {
      schema: {
        summary: 'Whose timelines grew after a position of the log; waits for the first',
        querystring: controlApi.consoleChangesQuerySchema,
        response: answers(controlApi.consoleChangesSchema),
      },
    },
    async ({ headers, query: { after, wait } }) => {
      await reader(headers);
      const events = await gateway.events(after, CHANGES_AT_ONCE, wait);
      return { position: events.at(-1)?.position ?? after, messages: messagesIn(events) };
    },
  );

  server.get(
    '/v1/console/log',
    { schema: { summary: 'The newest signed head of the log', response: answers(controlApi.consoleLogSchema) } },
    async ({ headers }) => {
      await reader(headers);
      const checkpoint = await log.checkpoint().catch((cause: unknown) => {
        throw gatewayError('ERR_GATEWAY_AWAY', { cause, retryAfter: 5 });
      });
      if (checkpoint === undefined) throw gatewayError('ERR_GATEWAY_AWAY', { retryAfter: 1 });
      return { checkpoint };
    },
  );

  server.get(
    '/v1/console/flows',
    { schema: { summary: 'The flows of the running bundle', response: answers(controlApi.consoleFlowsSchema) } },
    async ({ headers }) => {
      await reader(headers);
      const bundle = flows.current()?.bundle;
      return { version: bundle?.version ?? 0, flows: (bundle?.flows ?? []).map(shown) };
    },
  );
}

function messagesIn(events: readonly { readonly event: LogEvent }[]) {
  return [...new Set(events.flatMap(({ event }) => ('message' in event ? [event.message] : [])))];
}

function shown({ name, purpose, agent, classification, floor, ladder, expires }: CompiledFlow): ConsoleFlow {
  return { name, purpose, agent, classification, floor, ladder, expires };
}
