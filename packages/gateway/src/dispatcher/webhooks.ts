/** Providers' webhooks: verified on the raw bytes by the vendor’s own adapter, stored, and only then answered. */
import type { Adapter, ProviderEvents, RawWebhook } from '@sealpost/channels';
import { createServer, type Logger, type Server } from '@sealpost/platform';
import { type ErrorTable, errorsOf } from '@sealpost/protocol';
import { z } from 'zod';
import { reached } from './points.ts';

export const WEBHOOK_ERRORS = {
  ERR_WEBHOOK_CHANNEL: {
    kind: 'missing',
    sentence: 'No vendor of that name takes webhooks.',
    hint: 'Check the URL registered with the provider against the dispatcher’s vendors.',
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
  /** By the vendor’s name. */
  readonly adapters: ReadonlyMap<string, Adapter>;
  readonly logger: Logger;
  readonly version: string;
  readonly ready: () => Promise<string | undefined>;
  /** Remembers work until it has ended: sockets are cut at the end, and nothing may be closed under what still runs. */
  readonly track: <T>(work: Promise<T>) => Promise<T>;
  /** Durable when it resolves. */
  readonly store: (vendor: string, events: ProviderEvents) => Promise<void>;
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
    params: z.strictObject({ vendor: z.string().max(63) }),
    response: { 200: z.unknown().describe('Empty, or the text of a handshake') },
  };
  const body = z.unknown().describe('As the provider publishes it');
  // Set-up handshakes, and with some providers receipts too, come by GET with all they say in the query.
  server.get('/webhooks/:vendor', { schema }, async ({ params, url, headers }, reply) =>
    answer(reply, await deps.track(take(params.vendor, { method: 'GET', url, headers, body: undefined }))),
  );
  server.post('/webhooks/:vendor', { schema: { ...schema, body } }, async ({ params, url, headers, body }, reply) =>
    answer(reply, await deps.track(take(params.vendor, { method: 'POST', url, headers, body }))),
  );

  /** The text of a handshake; `undefined` when there is nothing to say but 200, which alone is "done" to Google. */
  async function take(vendor: string, request: Arrived): Promise<string | undefined> {
    const adapter = deps.adapters.get(vendor);
    if (adapter?.webhook === undefined) throw webhookError('ERR_WEBHOOK_CHANNEL');
    reached('webhook.received');
    const result = await adapter.webhook(rawOf(request));
    switch (result.kind) {
      case 'forged':
        throw webhookError('ERR_WEBHOOK_FORGED');
      case 'malformed':
        throw webhookError('ERR_WEBHOOK_MALFORMED');
      case 'handshake':
        return result.answer;
      case 'ignored':
        return undefined;
      case 'events':
        await deps.store(vendor, result);
        return undefined;
    }
  }

  return server;
}

interface Reply {
  code(status: 200): Reply;
  type(type: string): Reply;
  send(body: unknown): Reply;
}

function answer(reply: Reply, text: string | undefined): Reply {
  return text === undefined ? reply.code(200).send(undefined) : reply.code(200).type('text/plain').send(text);
}

interface Arrived {
  readonly method: RawWebhook['method'];
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: unknown;
}

/** The query is left as it was written: some signatures cover it. */
function rawOf({ method, url, headers, body }: Arrived): RawWebhook {
  const at = url.indexOf('?');
  return {
    method,
    query: at < 0 ? '' : url.slice(at + 1),
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
    ),
    body: body instanceof Uint8Array ? new Uint8Array(body) : new Uint8Array(),
  };
}
