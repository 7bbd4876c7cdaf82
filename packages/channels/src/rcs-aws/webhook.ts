/**
 * Webhooks of AWS End User Messaging, which come by SNS: confirmations of a subscription, and notifications. A body that
 * is no SNS envelope is malformed; one that SNS did not sign, or that is of a topic not named in the settings, is forged.
 * A confirmation is answered by fetching its address, once it is proved to be SNS's own.
 */
import type { Inbound, InboundContent, ProviderReceipt } from '@sealpost/protocol/carriage';
import type { AdapterContext, RawWebhook, WebhookResult } from '../adapter.ts';
import { contentOfText } from '../consent.ts';
import { httpCall } from '../http-call.ts';
import { e164Of, MAX_WEBHOOK_BYTES, timeOf } from '../webhook-request.ts';
import type { RcsAwsSettings } from './config.ts';
import { type AwsInbound, type AwsStatus, parseAwsEvent, parseInteraction } from './event-schema.ts';
import { parseEnvelope, type SnsEnvelope } from './sns-schema.ts';
import { isSnsUrl, type SnsVerifier } from './sns-signature.ts';

/** SNS tries an endpoint again for hours ("Amazon SNS message delivery retries"); what is older is a copy. */
const MAX_AGE_MS = 24 * 3_600_000;
const CLOCK_TOLERANCE_MS = 300_000;

/** By `messageStatus`, and where there is none by `eventType`; what is not here is on the way. */
const STATUS_OF: Readonly<Record<string, ProviderReceipt['status']>> = {
  DELIVERED: 'delivered',
  READ: 'read',
  UNDELIVERABLE: 'failed',
  REJECTED: 'failed',
  TTL_EXPIRATION_REVOKED: 'expired',
  /** Expired, but a delivery may still be reported. */
  TTL_EXPIRATION_REVOKE_FAILED: 'expired',
  RCS_DELIVERED: 'delivered',
  RCS_READ: 'read',
  RCS_FAILED: 'failed',
  RCS_TTL_EXPIRED: 'expired',
  RCS_PROTECT_BLOCKED: 'failed',
  /** Never asked for; were an account to force it, the code says by what the message went. */
  RCS_FALLEN_BACK_TO_SMS: 'failed',
};

export async function readAwsWebhook(
  request: RawWebhook,
  settings: RcsAwsSettings,
  context: AdapterContext,
  verifier: SnsVerifier,
): Promise<WebhookResult> {
  if (request.body.byteLength > MAX_WEBHOOK_BYTES) return { kind: 'malformed', reason: 'body too large' };
  const envelope = request.method === 'POST' ? parseEnvelope(request.body) : undefined;
  if (envelope === undefined) return { kind: 'malformed', reason: 'no SNS delivery' };
  if (!settings.topic_arns.includes(envelope.TopicArn) || !isFresh(envelope, context.now())) return { kind: 'forged' };
  if (!(await verifier.verify(envelope))) return { kind: 'forged' };
  if (envelope.Type !== 'Notification') return confirm(envelope, settings, context);
  const event = parseAwsEvent(envelope.Message);
  if (event === undefined) return { kind: 'ignored', reason: 'no message event' };
  return event.kind === 'status' ? receiptOf(event.value) : inboundOf(event.value, settings);
}

function isFresh({ Timestamp }: SnsEnvelope, now: number): boolean {
  const at = timeOf(Timestamp);
  return at !== undefined && at >= now - MAX_AGE_MS && at <= now + CLOCK_TOLERANCE_MS;
}

/** An answer that is no success makes SNS ask again, so what could not be confirmed now is called malformed. */
async function confirm(
  envelope: Exclude<SnsEnvelope, { Type: 'Notification' }>,
  { region, timeout }: RcsAwsSettings,
  context: AdapterContext,
): Promise<WebhookResult> {
  if (envelope.Type === 'UnsubscribeConfirmation') return { kind: 'ignored', reason: 'unsubscribed' };
  if (!isSnsUrl(envelope.SubscribeURL, region, /^\/$/)) return { kind: 'forged' };
  const call = { fetch: context.fetch, now: context.now, timeoutMs: timeout };
  const answer = await httpCall(call, envelope.SubscribeURL, { method: 'GET' });
  return answer.kind === 'answered' && answer.status === 200
    ? { kind: 'handshake', answer: '' }
    : { kind: 'malformed', reason: 'subscription not confirmed' };
}

function receiptOf({ eventType, messageId, messageStatus, eventTimestamp }: AwsStatus): WebhookResult {
  const status = of(messageStatus) ?? (messageStatus === undefined ? of(eventType) : undefined);
  if (status === undefined) return { kind: 'ignored', reason: `event ${eventType}` };
  const receipt: ProviderReceipt = {
    providerMessageIds: [messageId],
    status,
    code: messageStatus === undefined ? eventType : `${eventType} ${messageStatus}`.slice(0, 120),
    ...(eventTimestamp === undefined ? {} : { at: eventTimestamp }),
  };
  return { kind: 'events', receipts: [receipt], inbound: [] };
}

function of(key: string | undefined): ProviderReceipt['status'] | undefined {
  return key !== undefined && Object.hasOwn(STATUS_OF, key) ? STATUS_OF[key] : undefined;
}

function inboundOf(value: AwsInbound, { agent }: RcsAwsSettings): WebhookResult {
  const address = e164Of(value.originationNumber);
  if (address === undefined || !agent.endsWith(value.destinationNumber))
    return { kind: 'ignored', reason: 'another agent' };
  const content = contentOf(value.messageBody);
  if (content === undefined) return { kind: 'ignored', reason: 'nothing was said' };
  const about = value.previousPublishedMessageId;
  const inbound: Inbound = { id: value.inboundMessageId, address, content, ...(about === undefined ? {} : { about }) };
  return { kind: 'events', receipts: [], inbound: [inbound] };
}

function contentOf(messageBody: string): InboundContent | undefined {
  const interaction = parseInteraction(messageBody);
  if (interaction === undefined) return contentOfText(messageBody);
  const { type, postbackData, text } = interaction;
  switch (type) {
    case 'SUGGESTION':
      if (postbackData === undefined) return undefined;
      return { kind: 'suggestion', data: postbackData, ...(text === undefined ? {} : { text }) };
    case 'UNSUBSCRIBE':
      return { kind: 'opt-out' };
    case 'SUBSCRIBE':
      return { kind: 'opt-in' };
    default:
      return undefined;
  }
}
