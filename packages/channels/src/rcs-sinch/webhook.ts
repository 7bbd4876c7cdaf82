/**
 * Callbacks of the Conversation API: delivery reports, messages of contacts, and opt-outs that the channel itself tells.
 * A request is malformed when it is no callback and forged when it is but not signed with our secret; the app may have
 * other channels, whose events are none of ours.
 */
import { createHash } from 'node:crypto';
import type { Inbound, InboundContent, ProviderReceipt } from '@sealpost/protocol/carriage';
import type { AdapterContext, RawWebhook, WebhookResult } from '../adapter.ts';
import { contentOfText } from '../consent.ts';
import { reasonOf } from '../single-effect.ts';
import { e164Of, MAX_WEBHOOK_BYTES, timeOf } from '../webhook-request.ts';
import type { RcsSinchSettings } from './config.ts';
import { verifySinchSignature } from './signature.ts';
import {
  parseCallback,
  type SinchCallback,
  type SinchConsent,
  type SinchMessage,
  type SinchReport,
} from './webhook-schema.ts';

/** DeliveryStatus values that are an end or a reading; QUEUED_ON_CHANNEL and SWITCHING_CHANNEL are on the way. */
const STATUS_OF: Readonly<Record<string, ProviderReceipt['status']>> = {
  DELIVERED: 'delivered',
  READ: 'read',
  FAILED: 'failed',
};
const EXPIRED_REASON = 'MESSAGE_EXPIRED';
const CHANNEL = 'RCS';

export async function readSinchWebhook(
  request: RawWebhook,
  settings: RcsSinchSettings,
  context: AdapterContext,
): Promise<WebhookResult> {
  if (request.body.byteLength > MAX_WEBHOOK_BYTES) return { kind: 'malformed', reason: 'body too large' };
  const callback = request.method === 'POST' ? parseCallback(request.body) : undefined;
  if (callback === undefined) return { kind: 'malformed', reason: 'not a callback' };
  const secret = await context.readSecret(settings.webhook_secret_file);
  if (!verifySinchSignature(request, secret, context.now())) return { kind: 'forged' };
  if (callback.app_id !== settings.app_id) return { kind: 'ignored', reason: 'another app' };
  return eventOf(callback, request.body);
}

function eventOf(callback: SinchCallback, body: Uint8Array): WebhookResult {
  const at = timeOf(callback.event_time) ?? timeOf(callback.accepted_time);
  if (callback.message_delivery_report !== undefined) return receiptOf(callback.message_delivery_report, at);
  if (callback.message !== undefined) return messageOf(callback.message, at);
  if (callback.opt_out_notification !== undefined) return consentOf(callback.opt_out_notification, 'opt-out', at, body);
  const optIn = callback.opt_in_notification;
  // A consent that could not be registered is none; a wish to be left alone counts either way.
  if (optIn?.status === 'OPT_IN_SUCCEEDED') return consentOf(optIn, 'opt-in', at, body);
  return { kind: 'ignored', reason: 'another trigger' };
}

function receiptOf(report: SinchReport, at: number | undefined): WebhookResult {
  if (report.channel_identity !== undefined && report.channel_identity.channel !== CHANNEL)
    return { kind: 'ignored', reason: 'another channel' };
  const status = Object.hasOwn(STATUS_OF, report.status) ? STATUS_OF[report.status] : undefined;
  if (status === undefined) return { kind: 'ignored', reason: `status ${report.status}` };
  const { code, sub_code } = report.reason ?? {};
  const receipt: ProviderReceipt = {
    providerMessageIds: [report.message_id],
    status: code === EXPIRED_REASON ? 'expired' : status,
    code: reasonOf(report.status, code, sub_code),
  };
  return { kind: 'events', receipts: [at === undefined ? receipt : { ...receipt, at }], inbound: [] };
}

function messageOf({ id, channel_identity, contact_message }: SinchMessage, at: number | undefined): WebhookResult {
  if (channel_identity.channel !== CHANNEL) return { kind: 'ignored', reason: 'another channel' };
  const content = contentOf(contact_message);
  const about = contact_message.choice_response_message?.message_id;
  return inboundOf(channel_identity.identity, content, { id, ...(about === undefined ? {} : { about }) }, at);
}

function contentOf(message: SinchMessage['contact_message']): InboundContent | undefined {
  const { text_message, choice_response_message: tap, media_message: media } = message;
  if (tap !== undefined) return { kind: 'suggestion', data: tap.postback_data };
  if (media !== undefined) {
    const name = media.filename_override;
    return { kind: 'file', url: media.url, ...(name === undefined ? {} : { name }) };
  }
  return text_message === undefined ? undefined : contentOfText(text_message.text);
}

/** Without a request id the same notification is known by its bytes. */
function consentOf(
  { request_id, channel, identity }: SinchConsent,
  kind: 'opt-out' | 'opt-in',
  at: number | undefined,
  body: Uint8Array,
): WebhookResult {
  if (channel !== CHANNEL) return { kind: 'ignored', reason: 'another channel' };
  const id = request_id || createHash('sha256').update(body).digest('base64url');
  return inboundOf(identity, { kind }, { id }, at);
}

function inboundOf(
  identity: string,
  content: InboundContent | undefined,
  told: Pick<Inbound, 'id' | 'about'>,
  at: number | undefined,
): WebhookResult {
  const address = e164Of(identity);
  if (address === undefined || content === undefined) return { kind: 'ignored', reason: 'nothing we take' };
  const inbound: Inbound = { ...told, address, content };
  return { kind: 'events', receipts: [], inbound: [at === undefined ? inbound : { ...inbound, at }] };
}
