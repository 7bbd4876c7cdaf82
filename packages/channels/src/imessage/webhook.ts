/**
 * Events of BlueBubbles: messages of people, and what becomes of ours. It signs nothing, keeps nothing and never repeats:
 * the token proves only that the sender knows the URL, and an event sent while we are away is lost.
 */
import type { Inbound, InboundContent, ProviderReceipt } from '@sealpost/protocol/carriage';
import type { AdapterContext, RawWebhook, WebhookResult } from '../adapter.ts';
import { contentOfText } from '../consent.ts';
import { secretText } from '../secret-text.ts';
import { sameSecret } from '../signature.ts';
import { e164Of, MAX_WEBHOOK_BYTES } from '../webhook-request.ts';
import type { ImessageSettings } from './config.ts';
import { type ImessageEvent, type ImessageMessage, parseEvent } from './webhook-schema.ts';

const ABOUT_MESSAGES: ReadonlySet<string> = new Set(['new-message', 'updated-message', 'message-send-error']);

export async function readImessageWebhook(
  request: RawWebhook,
  settings: ImessageSettings,
  context: AdapterContext,
): Promise<WebhookResult> {
  if (request.body.byteLength > MAX_WEBHOOK_BYTES) return { kind: 'malformed', reason: 'body too large' };
  const secret = (await secretText(context, settings.webhook_token_file)) ?? '';
  const token = new URLSearchParams(request.query).get('token') ?? '';
  if (!sameSecret(token, new TextEncoder().encode(secret))) return { kind: 'forged' };
  const event = request.method === 'POST' ? parseEvent(request.body) : undefined;
  if (event === undefined) return { kind: 'malformed', reason: 'no event' };
  if (!ABOUT_MESSAGES.has(event.type)) return { kind: 'ignored', reason: `event ${event.type}` };
  const { message } = event;
  if (message === undefined) return { kind: 'malformed', reason: 'no message' };
  const receipts = receiptsOf(event.type, message);
  const inbound = event.type === 'new-message' ? wordsOf(message) : [];
  return receipts.length + inbound.length === 0
    ? { kind: 'ignored', reason: 'nothing was said' }
    : { kind: 'events', receipts, inbound };
}

/** Both dates can come at once, and each is told. */
function receiptsOf(type: ImessageEvent['type'], message: ImessageMessage): ProviderReceipt[] {
  const { guid, tempGuid, isFromMe, dateDelivered, dateRead, error } = message;
  if (!isFromMe) return [];
  const providerMessageIds = tempGuid ? [guid, tempGuid] : [guid];
  if (type === 'message-send-error' || error) {
    return [{ providerMessageIds, status: 'failed', code: `error ${error ?? 'unnamed'}` }];
  }
  const told: ProviderReceipt[] = [];
  if (dateDelivered) told.push({ providerMessageIds, status: 'delivered', at: dateDelivered, code: type });
  if (dateRead) told.push({ providerMessageIds, status: 'read', at: dateRead, code: type });
  return told;
}

function wordsOf(message: ImessageMessage): Inbound[] {
  const { guid, text, isFromMe, handle, chats, attachments, associatedMessageGuid } = message;
  // In a group (";+;") one person's STOP is not everybody's.
  const inGroup = chats.some((chat) => chat.guid.includes(';+;'));
  if (isFromMe || !handle || inGroup || associatedMessageGuid) return [];
  // U+FFFC stands in the text where an attachment is shown.
  const said = contentOfText((text ?? '').replaceAll('\uFFFC', ''));
  const contents = [...(said === undefined ? [] : [said]), ...attachments.map(fileOf)];
  const common = {
    address: e164Of(handle.address) ?? handle.address,
    ...(message.dateCreated ? { at: message.dateCreated } : {}),
    ...(message.threadOriginatorGuid ? { about: message.threadOriginatorGuid } : {}),
  };
  return contents.map((content, index) => ({ id: index === 0 ? guid : `${guid}-${index}`, ...common, content }));
}

function fileOf({ transferName, mimeType }: ImessageMessage['attachments'][number]): InboundContent {
  return {
    kind: 'file',
    ...(transferName ? { name: transferName } : {}),
    ...(mimeType ? { mediaType: mimeType } : {}),
  };
}
