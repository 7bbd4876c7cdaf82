/**
 * What signal-cli-rest-api posts to `RECEIVE_WEBHOOK_URL`: everything its signal-cli receives. It signs nothing and never
 * repeats: the token proves only that the sender knows the URL, and what is posted while we are away is lost.
 */
import type { AdapterContext, RawWebhook, WebhookResult } from '../adapter.ts';
import { secretText } from '../secret-text.ts';
import { sameSecret } from '../signature.ts';
import { jsonOf, MAX_WEBHOOK_BYTES } from '../webhook-request.ts';
import type { RestSettings } from './config.ts';
import { eventsOf } from './envelope.ts';
import { parseReceived } from './envelope-schema.ts';

export async function readSignalWebhook(
  request: RawWebhook,
  settings: RestSettings,
  context: AdapterContext,
): Promise<WebhookResult> {
  if (request.body.byteLength > MAX_WEBHOOK_BYTES) return { kind: 'malformed', reason: 'body too large' };
  const secret = (await secretText(context, settings.webhook_token_file)) ?? '';
  const token = new URLSearchParams(request.query).get('token') ?? '';
  if (!sameSecret(token, new TextEncoder().encode(secret))) return { kind: 'forged' };
  const received = request.method === 'POST' ? parseReceived(jsonOf(request.body)) : undefined;
  if (received === undefined) return { kind: 'malformed', reason: 'no envelope' };
  const events = eventsOf(received, settings.account);
  return events.receipts.length + events.inbound.length === 0
    ? { kind: 'ignored', reason: 'nothing was said' }
    : { kind: 'events', ...events };
}
