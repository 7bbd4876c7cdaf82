/**
 * Webhooks of the Cloud API: the set-up handshake (a GET), then statuses and messages, several to a body, signed with
 * `X-Hub-Signature-256`, the HMAC-SHA256 of the raw body under the app secret (Meta, "Webhooks", "Validate payloads").
 * There is no time in the signature, so a copy proves itself too; what it tells is taken once by its id.
 */
import { createHmac } from 'node:crypto';
import type { Inbound, InboundContent, ProviderReceipt } from '@sealpost/protocol/carriage';
import type { AdapterContext, RawWebhook, WebhookResult } from '../adapter.ts';
import { contentOfText } from '../consent.ts';
import { secretText } from '../secret-text.ts';
import { sameHexMac, sameSecret } from '../signature.ts';
import { e164Of, headerOf, MAX_WEBHOOK_BYTES } from '../webhook-request.ts';
import type { WhatsappCloudSettings } from './config.ts';
import {
  parseChanges,
  type WhatsappMedia,
  type WhatsappMessage,
  type WhatsappPreference,
  type WhatsappStatus,
} from './webhook-schema.ts';

/** `sent` is on the way. */
const STATUS_OF: Readonly<Record<string, ProviderReceipt['status']>> = {
  delivered: 'delivered',
  read: 'read',
  failed: 'failed',
};

export async function readWhatsappWebhook(
  request: RawWebhook,
  settings: WhatsappCloudSettings,
  context: AdapterContext,
): Promise<WebhookResult> {
  if (request.method === 'GET') return handshake(request, settings, context);
  if (request.body.byteLength > MAX_WEBHOOK_BYTES) return { kind: 'malformed', reason: 'body too large' };
  const changes = parseChanges(request.body);
  if (changes === undefined) return { kind: 'malformed', reason: 'no webhook of the Cloud API' };
  const [, claimed = ''] = /^sha256=([0-9a-f]{64})$/.exec(headerOf(request, 'x-hub-signature-256') ?? '') ?? [];
  const secret = await secretText(context, settings.app_secret_file);
  if (!secret || !sameHexMac(claimed, createHmac('sha256', secret).update(request.body).digest()))
    return { kind: 'forged' };
  const ours = changes.filter(({ phoneNumberId }) => phoneNumberId === settings.phone_number_id);
  const receipts = ours.flatMap(({ statuses }) => statuses.flatMap(receiptsOf));
  const messages = ours.flatMap((change) => change.messages.flatMap(inboundOf));
  const inbound = [...messages, ...ours.flatMap(({ preferences }) => preferences.flatMap(wishOf))];
  if (receipts.length === 0 && inbound.length === 0) return { kind: 'ignored', reason: 'nothing ended or was said' };
  return { kind: 'events', receipts, inbound };
}

/** `hub.mode=subscribe`, our verify token, and a challenge to be sent back. */
async function handshake(
  { query }: RawWebhook,
  settings: WhatsappCloudSettings,
  context: AdapterContext,
): Promise<WebhookResult> {
  const asked = new URLSearchParams(query);
  const challenge = asked.get('hub.challenge');
  if (asked.get('hub.mode') !== 'subscribe' || challenge === null || !/^[A-Za-z0-9._-]{1,256}$/.test(challenge))
    return { kind: 'malformed', reason: 'no handshake' };
  const token = new TextEncoder().encode(await secretText(context, settings.verify_token_file));
  return sameSecret(asked.get('hub.verify_token') ?? '', token)
    ? { kind: 'handshake', answer: challenge }
    : { kind: 'forged' };
}

function receiptsOf({ id, status: reported, timestamp, errors }: WhatsappStatus): readonly ProviderReceipt[] {
  const status = Object.hasOwn(STATUS_OF, reported) ? STATUS_OF[reported] : undefined;
  if (status === undefined) return [];
  const code = errors?.[0] === undefined ? reported : `${reported} ${errors[0].code}`;
  return [{ providerMessageIds: [id], status, code, ...timed(timestamp) }];
}

function inboundOf(message: WhatsappMessage): readonly Inbound[] {
  const address = e164Of(message.from);
  if (address === undefined) return [];
  const about = message.context?.id;
  const common = { address, ...timed(message.timestamp), ...(about === undefined ? {} : { about }) };
  return contentsOf(message).map((content, index) => ({
    // A caption is a second thing said by the same message.
    id: index === 0 ? message.id : `${message.id}-${index}`.slice(-256),
    ...common,
    content,
  }));
}

function contentsOf({ text, interactive, button, ...rest }: WhatsappMessage): readonly InboundContent[] {
  const tap = interactive?.button_reply ?? interactive?.list_reply;
  if (tap !== undefined) return [tapOf(tap.id, tap.title)];
  if (button !== undefined) return [tapOf(button.payload, button.text)];
  const media = rest.image ?? rest.document ?? rest.video ?? rest.audio ?? rest.sticker;
  const said = contentOfText(text?.body ?? media?.caption ?? '');
  return [...(media === undefined ? [] : [fileOf(media)]), ...(said === undefined ? [] : [said])];
}

function tapOf(data: string, text: string | undefined): InboundContent {
  return { kind: 'suggestion', data, ...(text === undefined ? {} : { text }) };
}

/** Meta keeps it under an id, without an address that could be handed on. */
function fileOf({ filename, mime_type }: WhatsappMedia): InboundContent {
  return {
    kind: 'file',
    ...(filename === undefined ? {} : { name: filename }),
    ...(mime_type === undefined ? {} : { mediaType: mime_type }),
  };
}

/** The person's own setting for what businesses may send; Meta means marketing by it, we take it at its word. */
function wishOf({ wa_id, value, timestamp }: WhatsappPreference): readonly Inbound[] {
  const address = e164Of(wa_id);
  if (address === undefined) return [];
  const content: InboundContent = { kind: value === 'stop' ? 'opt-out' : 'opt-in' };
  return [{ id: `preference-${wa_id}-${value}-${timestamp ?? ''}`, address, content, ...timed(timestamp) }];
}

function timed(seconds: string | undefined): { at?: number } {
  return seconds === undefined ? {} : { at: Number(seconds) * 1000 };
}
