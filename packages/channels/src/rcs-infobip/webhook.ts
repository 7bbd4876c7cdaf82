/**
 * Webhooks of Infobip RCS: delivery and seen reports and inbound messages, many to a body. Infobip publishes no
 * signature, so a request proves itself by the Basic credentials we gave (RFC 7617), and by nothing else: whoever holds
 * them can invent events. A body that is no list of results is malformed, one without the credentials is forged.
 */
import type { Inbound, InboundContent, ProviderReceipt } from '@sealpost/protocol/carriage';
import type { AdapterContext, ProviderEvents, RawWebhook, WebhookResult } from '../adapter.ts';
import { contentOfText } from '../consent.ts';
import { decodeBase64, sameSecret } from '../signature.ts';
import { e164Of, headerOf, MAX_WEBHOOK_BYTES, textOf, timeOf } from '../webhook-request.ts';
import type { RcsInfobipSettings } from './config.ts';
import {
  type InfobipInbound,
  type InfobipReport,
  type InfobipResult,
  type InfobipSeen,
  parseResults,
} from './webhook-schema.ts';

/** General statuses that are an end; the others are on the way (Infobip, "Status groups"). */
const STATUS_OF: Readonly<Record<string, ProviderReceipt['status']>> = {
  DELIVERED: 'delivered',
  EXPIRED: 'expired',
  UNDELIVERABLE: 'failed',
  REJECTED: 'failed',
};

export async function readInfobipWebhook(
  request: RawWebhook,
  settings: RcsInfobipSettings,
  context: AdapterContext,
): Promise<WebhookResult> {
  if (request.body.byteLength > MAX_WEBHOOK_BYTES) return { kind: 'malformed', reason: 'body too large' };
  const results = request.method === 'POST' ? parseResults(request.body) : undefined;
  if (results === undefined) return { kind: 'malformed', reason: 'no list of results' };
  const credentials = await context.readSecret(settings.webhook_credentials_file);
  if (!isFromInfobip(request, credentials)) return { kind: 'forged' };
  const events = results.map((result) => eventsOf(result, settings.sender));
  const receipts = events.flatMap((event) => event.receipts);
  const inbound = events.flatMap((event) => event.inbound);
  if (receipts.length === 0 && inbound.length === 0) return { kind: 'ignored', reason: 'nothing ended or was said' };
  return { kind: 'events', receipts, inbound };
}

function isFromInfobip(request: RawWebhook, credentials: Uint8Array): boolean {
  const [, encoded = ''] = /^Basic (\S+)$/i.exec(headerOf(request, 'authorization') ?? '') ?? [];
  const claimed = decodeBase64(encoded);
  const text = claimed === undefined ? undefined : textOf(claimed);
  return text !== undefined && sameSecret(text, credentials);
}

const NOTHING: ProviderEvents = { receipts: [], inbound: [] };

function eventsOf(result: InfobipResult, sender: string): ProviderEvents {
  switch (result.kind) {
    case 'report':
      return { ...NOTHING, receipts: receiptsOf(result.value) };
    case 'seen':
      return { ...NOTHING, receipts: [readOf(result.value)] };
    case 'inbound':
      return { ...NOTHING, inbound: inboundOf(result.value, sender) };
    case 'other':
      return NOTHING;
  }
}

function receiptsOf({ messageId, channel, status: reported, doneAt }: InfobipReport): readonly ProviderReceipt[] {
  const status = Object.hasOwn(STATUS_OF, reported.groupName) ? STATUS_OF[reported.groupName] : undefined;
  if (status === undefined) return [];
  // We never ask for failover; if an account were to force it, the code says by what the message went.
  const code = channel === undefined || channel === 'RCS' ? reported.name : `${channel} ${reported.name}`;
  return [withTime({ providerMessageIds: [messageId], status, code }, doneAt)];
}

function readOf({ messageId, seenAt }: InfobipSeen): ProviderReceipt {
  return withTime({ providerMessageIds: [messageId], status: 'read', code: 'SEEN' }, seenAt);
}

function withTime<T extends object>(value: T, written: string | undefined): T & { at?: number } {
  const at = timeOf(written);
  return at === undefined ? value : { ...value, at };
}

function inboundOf(value: InfobipInbound, sender: string): readonly Inbound[] {
  const address = e164Of(value.sender);
  const content = contentOf(value.message);
  if (value.to !== sender || address === undefined || content === undefined) return [];
  const about = value.pairedMessageId ?? undefined;
  const told = { id: value.messageId, address, content, ...(about === undefined ? {} : { about }) };
  return [withTime(told, value.receivedAt)];
}

function contentOf(message: InfobipInbound['message']): InboundContent | undefined {
  switch (message.type) {
    case 'TEXT':
      return contentOfText(message.text);
    case 'SUGGESTION': {
      const tap = { kind: 'suggestion', data: message.postbackData } as const;
      return typeof message.text === 'string' ? { ...tap, text: message.text } : tap;
    }
    case 'FILE':
      return fileOf(message);
    case 'LOCATION':
      return undefined;
  }
}

function fileOf({ name, contentType, url }: Extract<InfobipInbound['message'], { type: 'FILE' }>): InboundContent {
  return {
    kind: 'file',
    ...(typeof name === 'string' ? { name } : {}),
    ...(typeof contentType === 'string' ? { mediaType: contentType } : {}),
    ...(typeof url === 'string' ? { url } : {}),
  };
}
