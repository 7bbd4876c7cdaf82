/**
 * Webhooks of a MaaP: message states, messages and taps of people. FNW.11 has no signature, so a request proves itself by
 * the token we gave the operator, and by nothing else: whoever holds it can invent events.
 */
import type { Inbound, InboundContent, ProviderReceipt } from '@sealpost/protocol/carriage';
import type { AdapterContext, RawWebhook, WebhookResult } from '../adapter.ts';
import { contentOfText } from '../consent.ts';
import { secretText } from '../secret-text.ts';
import { sameSecret } from '../signature.ts';
import { e164Of, headerOf, MAX_WEBHOOK_BYTES, timeOf } from '../webhook-request.ts';
import type { RcsMaapSettings } from './config.ts';
import { type MaapEvent, type MaapFile, parseMaapEvent } from './webhook-schema.ts';

/** Message states that are an end or a reading; `pending` and `sent` are on the way. */
const STATUS_OF: Readonly<Record<string, ProviderReceipt['status']>> = {
  delivered: 'delivered',
  displayed: 'read',
  failed: 'failed',
  cancelled: 'failed',
};

export async function readMaapWebhook(
  request: RawWebhook,
  settings: RcsMaapSettings,
  context: AdapterContext,
): Promise<WebhookResult> {
  if (request.body.byteLength > MAX_WEBHOOK_BYTES) return { kind: 'malformed', reason: 'body too large' };
  const event = request.method === 'POST' ? parseMaapEvent(request.body) : undefined;
  if (event === undefined) return { kind: 'malformed', reason: 'no event' };
  const [, claimed = ''] = /^Bearer (\S+)$/i.exec(headerOf(request, 'authorization') ?? '') ?? [];
  const secret = new TextEncoder().encode(await secretText(context, settings.webhook_token_file));
  if (!sameSecret(claimed, secret)) return { kind: 'forged' };
  switch (event.event) {
    case 'messageStatus':
      return receiptOf(event);
    case 'message':
    case 'response':
      return inboundOf(event);
    default:
      return { kind: 'ignored', reason: `event ${event.event}` };
  }
}

function receiptOf({ RCSMessage: message }: MaapEvent): WebhookResult {
  const reported = message?.status;
  if (message?.msgId === undefined || reported === undefined) return { kind: 'malformed', reason: 'no message state' };
  const status = Object.hasOwn(STATUS_OF, reported) ? STATUS_OF[reported] : undefined;
  if (status === undefined) return { kind: 'ignored', reason: `status ${reported}` };
  const at = timeOf(message.timestamp);
  const receipt = { providerMessageIds: [message.msgId], status, code: reported };
  return { kind: 'events', receipts: [at === undefined ? receipt : { ...receipt, at }], inbound: [] };
}

/** A person the operator keeps anonymous has no number here, and nobody to answer to. */
function inboundOf({ RCSMessage: message, messageContact }: MaapEvent): WebhookResult {
  if (message?.msgId === undefined) return { kind: 'malformed', reason: 'no message' };
  const address = e164Of((messageContact?.userContact ?? '').replace(/^tel:/, ''));
  if (address === undefined) return { kind: 'ignored', reason: 'no phone number' };
  const content = contentOf(message);
  if (content === undefined) return { kind: 'ignored', reason: 'nothing was said' };
  const at = timeOf(message.timestamp);
  const inbound: Inbound = { id: message.msgId, address, content, ...(at === undefined ? {} : { at }) };
  return { kind: 'events', receipts: [], inbound: [inbound] };
}

function contentOf(message: NonNullable<MaapEvent['RCSMessage']>): InboundContent | undefined {
  const response = message.suggestedResponse?.response;
  const tap = response?.reply ?? response?.action;
  if (tap !== undefined) {
    const text = tap.displayText === undefined ? {} : { text: tap.displayText };
    return { kind: 'suggestion', data: tap.postback.data, ...text };
  }
  const file = message.fileMessage ?? message.audioMessage;
  return file === undefined ? contentOfText(message.textMessage ?? '') : fileOf(file);
}

function fileOf({ fileUrl, fileName, fileMIMEType }: MaapFile): InboundContent {
  return {
    kind: 'file',
    ...(fileName === undefined ? {} : { name: fileName }),
    ...(fileMIMEType === undefined ? {} : { mediaType: fileMIMEType }),
    ...(fileUrl === undefined ? {} : { url: fileUrl }),
  };
}
