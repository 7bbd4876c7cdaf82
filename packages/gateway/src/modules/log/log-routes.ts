/** The log over HTTP: what anyone may check on the device listener, what control reads and cosigns on the internal one. */
import { Readable } from 'node:stream';
import type { Server } from '@sealpost/platform';
import { gatewayApi, messageIdSchema } from '@sealpost/protocol';
import { parseTilePath } from '@sealpost/tlog';
import { z } from 'zod';
import type { Log } from './log.ts';
import { logError } from './log-errors.ts';

const tag = { tags: ['log'] };
const text = { produces: ['text/plain'], response: { 200: z.unknown() } };
const messageParams = z.strictObject({ message: messageIdSchema });

/** Device listener, public: checkpoint and tiles hold hashes only. */
export function registerPublicLogRoutes(server: Server, { log }: { log: Log }): void {
  server.get(
    '/v1/log/checkpoint',
    { schema: { ...tag, ...text, summary: 'The newest signed head (C2SP checkpoint)' } },
    async (_, reply) => {
      const note = log.checkpoint();
      if (note === undefined) throw logError('ERR_LOG_NO_CHECKPOINT', { retryAfter: 1 });
      return reply.type('text/plain; charset=utf-8').send(note);
    },
  );

  server.get(
    '/v1/log/tile/*',
    {
      schema: {
        ...tag,
        summary: 'A tile of the tree (C2SP tlog-tiles)',
        produces: ['application/octet-stream'],
        response: { 200: z.unknown().describe('Hashes, 32 bytes each') },
        params: z.strictObject({ '*': z.string().max(64) }),
      },
    },
    async (request, reply) => {
      const tile = parseTilePath(`tile/${request.params['*']}`);
      const bytes = tile === undefined ? undefined : await log.tile(tile);
      if (bytes === undefined) throw logError('ERR_LOG_TILE_MISSING');
      return reply.type('application/octet-stream').send(Buffer.from(bytes));
    },
  );
}

/** Internal listener, for control. */
export function registerLogRoutes(server: Server, { log }: { log: Log }): void {
  server.get(
    '/internal/v1/events',
    {
      schema: {
        ...tag,
        summary: 'Sequenced events in log order',
        querystring: gatewayApi.eventsQuerySchema,
        response: { 200: gatewayApi.eventsAnswerSchema },
      },
    },
    async ({ query }) => ({ events: await log.feed(query.after, query.limit, query.wait) }),
  );

  server.post(
    '/internal/v1/messages/results',
    {
      schema: {
        ...tag,
        summary: 'What tells how many messages stand: accepted, confirmed by devices, ended',
        body: gatewayApi.resultsQuerySchema,
        response: { 200: gatewayApi.resultsAnswerSchema },
      },
      bodyLimit: 16_384,
    },
    async ({ body }) => ({ events: await log.results(body.messages) }),
  );

  server.get(
    '/internal/v1/messages/:message/evidence',
    {
      schema: {
        ...tag,
        summary: 'What proves a message’s entries after a position, as far as a checkpoint covers them',
        params: messageParams,
        querystring: gatewayApi.evidenceQuerySchema,
        response: { 200: gatewayApi.messageEvidenceSchema },
      },
    },
    async ({ params: { message }, query }) => ({
      message,
      evidence: await log.messageEvidence(message, query.after, query.limit),
    }),
  );

  server.get(
    '/internal/v1/messages/:message/timeline',
    {
      schema: {
        ...tag,
        summary: 'Events of one message',
        params: messageParams,
        response: { 200: gatewayApi.timelineSchema },
      },
    },
    async ({ params }) => {
      const timeline = await log.timeline(params.message);
      if (timeline === undefined) throw logError('ERR_LOG_MESSAGE_MISSING');
      return timeline;
    },
  );

  server.get(
    '/internal/v1/log/export',
    { schema: { ...tag, ...text, summary: 'The whole log, line by line (sealpost-log/1)' } },
    async (_, reply) => {
      if (log.checkpoint() === undefined) throw logError('ERR_LOG_NO_CHECKPOINT', { retryAfter: 1 });
      return reply.type('text/plain; charset=utf-8').send(Readable.from(withNewlines(log.exportLines())));
    },
  );

  server.post(
    '/internal/v1/log/cosignatures',
    {
      bodyLimit: 16_384,
      schema: {
        ...tag,
        summary: 'Add a witness’s cosignature to the newest checkpoint',
        body: gatewayApi.cosignaturePostSchema,
        response: { 204: z.null() },
      },
    },
    async ({ body }, reply) => {
      await log.cosign(body.checkpoint);
      return reply.code(204).send(null);
    },
  );
}

async function* withNewlines(lines: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const line of lines) yield `${line}\n`;
}
