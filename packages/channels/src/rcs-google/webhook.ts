/**
 * Webhooks of RCS for Business: the set-up handshake, and user and server events in Pub/Sub form (Google, "Receive
 * messages", "Webhooks"). A request is malformed when it is not in the published form and forged when it is but not
 * signed with our client token; only an authentic one is looked into.
 */
import type { ProviderReceipt } from '@sealpost/protocol/carriage';
import type { AdapterContext, RawWebhook, WebhookResult } from '../adapter.ts';
import type { RcsGoogleSettings } from './config.ts';
import { sameSecret, verifySignature } from './signature.ts';
import { parseEvent, parseWebhookBody, type RbmEvent } from './webhook-schema.ts';

/** An AgentMessage may be 250 KB (API reference); events are far smaller. */
const MAX_BODY_BYTES = 512 * 1024;

const STATUS_OF: Readonly<Record<string, ProviderReceipt['status']>> = {
  DELIVERED: 'delivered',
  READ: 'read',
  TTL_EXPIRATION_REVOKED: 'expired',
  /** Expired, but a delivery may still be reported. */
  TTL_EXPIRATION_REVOKE_FAILED: 'expired',
};

export async function readWebhook(
  request: RawWebhook,
  settings: RcsGoogleSettings,
  context: AdapterContext,
): Promise<WebhookResult> {
  if (request.body.byteLength > MAX_BODY_BYTES) return { kind: 'malformed', reason: 'body too large' };
  const body = parseWebhookBody(request.body);
  if (body === undefined) return { kind: 'malformed', reason: 'not a handshake and not a message' };
  const clientToken = await context.readSecret(settings.client_token_file);
  if (body.kind === 'handshake')
    return sameSecret(body.clientToken, clientToken) ? { kind: 'handshake', answer: body.secret } : { kind: 'forged' };
  if (!verifySignature(header(request, 'x-goog-signature'), body.data, clientToken)) return { kind: 'forged' };
  const event = parseEvent(body.data);
  if (event === undefined) return { kind: 'malformed', reason: 'message data is not an event' };
  return receiptOf(event, settings.agent_id);
}

function receiptOf(event: RbmEvent, agentId: string): WebhookResult {
  if (event.agentId !== undefined && event.agentId !== agentId) return { kind: 'ignored', reason: 'another agent' };
  if (event.eventType === undefined) return { kind: 'ignored', reason: 'user message' };
  const status = Object.hasOwn(STATUS_OF, event.eventType) ? STATUS_OF[event.eventType] : undefined;
  if (status === undefined) return { kind: 'ignored', reason: `event ${event.eventType}` };
  if (event.messageId === undefined) return { kind: 'malformed', reason: 'event without messageId' };
  const receipt = { providerMessageIds: [event.messageId], status, code: event.eventType };
  return { kind: 'receipts', receipts: [event.at === undefined ? receipt : { ...receipt, at: event.at }] };
}

function header(request: RawWebhook, name: string): string | undefined {
  return Object.entries(request.headers).find(([key]) => key.toLowerCase() === name)?.[1];
}
