/**
 * Webhooks of Vonage's Messages API: message status and inbound messages, which may share one URL. A body in neither form
 * is malformed, one without Vonage's own token over it is forged; only an authentic one is looked into.
 */
import type { Inbound, InboundContent, ProviderReceipt } from '@sealpost/protocol/carriage';
import type { AdapterContext, RawWebhook, WebhookResult } from '../adapter.ts';
import { contentOfText } from '../consent.ts';
import { secretText } from '../secret-text.ts';
import { e164Of, headerOf, MAX_WEBHOOK_BYTES, timeOf } from '../webhook-request.ts';
import { codeOfType } from './answer-schema.ts';
import type { RcsVonageSettings } from './config.ts';
import { verifyWebhookToken } from './signature.ts';
import { parseVonageEvent, type VonageInbound, type VonageStatus } from './webhook-schema.ts';

/** "Messages API Status Callbacks"; `submitted` is on the way. A time to live that ran out is told as `rejected`. */
const STATUS_OF: Readonly<Record<string, ProviderReceipt['status']>> = {
  delivered: 'delivered',
  read: 'read',
  rejected: 'failed',
  undeliverable: 'failed',
};

export async function readVonageWebhook(
  request: RawWebhook,
  settings: RcsVonageSettings,
  context: AdapterContext,
): Promise<WebhookResult> {
  if (request.body.byteLength > MAX_WEBHOOK_BYTES) return { kind: 'malformed', reason: 'body too large' };
  const event = request.method === 'POST' ? parseVonageEvent(request.body) : undefined;
  if (event === undefined) return { kind: 'malformed', reason: 'no status and no message' };
  const secret = new TextEncoder().encode(await secretText(context, settings.signature_secret_file));
  const authorization = headerOf(request, 'authorization');
  const claims = await verifyWebhookToken(authorization, request.body, secret, context.now());
  if (claims === undefined) return { kind: 'forged' };
  if (claims.application_id !== undefined && claims.application_id !== settings.application_id)
    return { kind: 'ignored', reason: 'another application' };
  if (event.value.channel !== 'rcs') return { kind: 'ignored', reason: 'another channel' };
  return event.kind === 'status' ? receiptOf(event.value) : inboundOf(event.value, settings.sender);
}

function receiptOf({ message_uuid, status: reported, timestamp, error }: VonageStatus): WebhookResult {
  const status = Object.hasOwn(STATUS_OF, reported) ? STATUS_OF[reported] : undefined;
  if (status === undefined) return { kind: 'ignored', reason: `status ${reported}` };
  const cause = error?.type === undefined ? undefined : codeOfType(error.type);
  const at = timeOf(timestamp);
  const receipt: ProviderReceipt = {
    providerMessageIds: [message_uuid],
    status,
    code: cause === undefined ? reported : `${reported} ${cause}`,
    ...(at === undefined ? {} : { at }),
  };
  return { kind: 'events', receipts: [receipt], inbound: [] };
}

function inboundOf(value: VonageInbound, sender: string): WebhookResult {
  const address = e164Of(value.from);
  if (value.to !== sender || address === undefined) return { kind: 'ignored', reason: 'another sender' };
  const content = contentOf(value);
  if (content === undefined) return { kind: 'ignored', reason: `message ${value.message_type}` };
  const at = timeOf(value.timestamp);
  const about = value.context?.message_uuid;
  const inbound: Inbound = {
    id: value.message_uuid,
    address,
    content,
    ...(at === undefined ? {} : { at }),
    ...(about === undefined ? {} : { about }),
  };
  return { kind: 'events', receipts: [], inbound: [inbound] };
}

function contentOf({ message_type, text, reply, button, ...media }: VonageInbound): InboundContent | undefined {
  switch (message_type) {
    case 'text':
      return contentOfText(text ?? '');
    case 'reply':
      return reply === undefined ? undefined : tapOf(reply.id, reply.title);
    case 'button':
      return button?.payload === undefined ? undefined : tapOf(button.payload, button.text);
    case 'image':
    case 'video':
    case 'audio':
    case 'file': {
      const file = media[message_type];
      return file === undefined ? undefined : { kind: 'file', ...file };
    }
    default:
      return undefined;
  }
}

function tapOf(data: string, text: string | undefined): InboundContent {
  return { kind: 'suggestion', data, ...(text === undefined ? {} : { text }) };
}
