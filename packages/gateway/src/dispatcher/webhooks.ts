/** Providers' webhooks: verified on the raw bytes by the channel's own adapter, stored, and only then answered. */
import type { Adapter } from '@sealpost/channels';
import { createServer, type Logger, type Server } from '@sealpost/platform';
import { type ErrorTable, errorsOf } from '@sealpost/protocol';
import type { ProviderReceipt } from '@sealpost/protocol/carriage';
import { z } from 'zod';
import { reached } from './points.ts';

export const WEBHOOK_ERRORS = {
  ERR_WEBHOOK_CHANNEL: {
    kind: 'missing',
    sentence: 'No channel of that name takes webhooks.',
    hint: 'Check the URL registered with the provider against the dispatcher’s channels.',
  },
  ERR_WEBHOOK_FORGED: {
    kind: 'unauthenticated',
    sentence: 'The webhook does not carry the provider’s signature.',
    hint: 'Check the shared token on both sides; nothing was recorded.',
  },
  ERR_WEBHOOK_MALFORMED: {
    kind: 'invalid',
    sentence: 'The webhook is not in the provider’s published form.',
    hint: 'Nothing was recorded; if the provider changed its form, the adapter must follow.',
  },
} as const satisfies ErrorTable;
const webhookError = errorsOf(WEBHOOK_ERRORS);

/** As much as an adapter looks at: a webhook refused for its size would be repeated for days. */
const BODY_LIMIT = 524_288;

export interface WebhookDeps {
  readonly adapters: ReadonlyMap<string, Adapter>;
  readonly logger: Logger;
  readonly version: string;
  readonly ready: () => Promise<string | undefined>;
  /** Remembers work until it has ended: sockets are cut at the end, and nothing may be closed under what still runs. */
  readonly track: <T>(work: Promise<T>) => Promise<T>;
  /** Durable when it resolves. */
  readonly store: (channel: string, receipts: readonly ProviderReceipt[]) => Promise<void>;
}

export async function createWebhookServer(deps: WebhookDeps): Promise<Server> {
  const server = await createServer({
    name: 'dispatcher',
    version: deps.version,
    logger: deps.logger,
    bodyLimit: BODY_LIMIT,
    ready: deps.ready,
  });
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  const schema = {
    summary: 'Webhook of a provider',
    produces: ['text/plain'],
    params: z.strictObject({ channel: z.string().max(63) }),
    body: z.unknown().describe('As the provider publishes it'),
    response: { 200: z.unknown().describe('Empty, or the text of a handshake') },
  };
  server.post('/webhooks/:channel', { schema }, async (request, reply) => {
    const answer = await deps.track(take(request.params.channel, request.headers, request.body));
    return answer === undefined ? reply.code(200).send(undefined) : reply.type('text/plain').send(answer);
  });

  /** The text of a handshake; `undefined` when there is nothing to say but 200, which alone is "done" to Google. */
  async function take(channel: string, headers: Headers, body: unknown): Promise<string | undefined> {
    const adapter = deps.adapters.get(channel);
    if (adapter?.webhook === undefined) throw webhookError('ERR_WEBHOOK_CHANNEL');
    reached('webhook.received');
    const bytes = body instanceof Uint8Array ? new Uint8Array(body) : new Uint8Array();
    const result = await adapter.webhook({ headers: headersOf(headers), body: bytes });
    switch (result.kind) {
      case 'forged':
        throw webhookError('ERR_WEBHOOK_FORGED');
      case 'malformed':
        throw webhookError('ERR_WEBHOOK_MALFORMED');
      case 'handshake':
        return result.answer;
      case 'ignored':
        return undefined;
      case 'receipts':
        await deps.store(channel, result.receipts);
        return undefined;
    }
  }

  return server;
}

type Headers = Readonly<Record<string, string | string[] | undefined>>;

function headersOf(headers: Headers): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  );
}
