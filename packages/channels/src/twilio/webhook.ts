/**
 * Webhooks of Twilio messaging, the same for RCS and SMS: status callbacks and inbound messages. One that is not in the
 * published form is malformed, one that is but is not signed for our URL is forged; only an authentic one is looked
 * into. Several callbacks come for one SID and in any order, so each is passed on for itself.
 */
import type { Inbound, InboundContent, ProviderReceipt } from '@sealpost/protocol/carriage';
import type { AdapterContext, RawWebhook, WebhookResult } from '../adapter.ts';
import { contentOfText } from '../consent.ts';
import { e164Of, headerOf, MAX_WEBHOOK_BYTES } from '../webhook-request.ts';
import type { TwilioAccount } from './config.ts';
import { verifyTwilioSignature } from './signature.ts';
import { parseTwilioForm, type TwilioFields } from './webhook-schema.ts';

/** MessageStatus values that are an end or a reading; the others are on the way (Twilio, "Message status values"). */
const STATUS_OF: Readonly<Record<string, ProviderReceipt['status']>> = {
  delivered: 'delivered',
  read: 'read',
  undelivered: 'failed',
  failed: 'failed',
  canceled: 'failed',
};
/** "Validity period expired": the message left the queue unsent. */
const VALIDITY_EXPIRED = '30036';

/** `sender` as it stands in `From` of what we send: `rcs:agent`, `+49…`, `Acme`. */
export async function readTwilioWebhook(
  request: RawWebhook,
  account: TwilioAccount,
  sender: string,
  context: AdapterContext,
): Promise<WebhookResult> {
  if (request.body.byteLength > MAX_WEBHOOK_BYTES) return { kind: 'malformed', reason: 'body too large' };
  const parsed = request.method === 'POST' ? parseTwilioForm(request.body) : undefined;
  if (parsed === undefined) return { kind: 'malformed', reason: 'not a message form' };
  const { form, fields } = parsed;
  const url = request.query === '' ? account.webhook_url : `${account.webhook_url}?${request.query}`;
  const authToken = await context.readSecret(account.auth_token_file);
  const signature = headerOf(request, 'x-twilio-signature');
  if (authToken.byteLength === 0 || !verifyTwilioSignature(signature, url, form, authToken)) return { kind: 'forged' };
  if (fields.AccountSid !== account.account_sid) return { kind: 'ignored', reason: 'another account' };
  const ours = fields.MessageStatus === undefined ? fields.To : fields.From;
  if (ours.toLowerCase() !== sender.toLowerCase()) return { kind: 'ignored', reason: 'another sender' };
  return fields.MessageStatus === undefined ? inboundOf(fields, form) : receiptOf(fields, fields.MessageStatus);
}

function receiptOf({ MessageSid, ErrorCode }: TwilioFields, reported: string): WebhookResult {
  const status = Object.hasOwn(STATUS_OF, reported) ? STATUS_OF[reported] : undefined;
  if (status === undefined) return { kind: 'ignored', reason: `status ${reported}` };
  const receipt: ProviderReceipt = {
    providerMessageIds: [MessageSid],
    status: ErrorCode === VALIDITY_EXPIRED ? 'expired' : status,
    code: ErrorCode === undefined ? reported : `${reported} ${ErrorCode}`,
  };
  return { kind: 'events', receipts: [receipt], inbound: [] };
}

function inboundOf(fields: TwilioFields, form: URLSearchParams): WebhookResult {
  const address = e164Of(fields.From.replace(/^rcs:/, ''));
  if (address === undefined) return { kind: 'ignored', reason: 'inbound of no phone number' };
  const about = fields.OriginalRepliedMessageSid;
  const common = about === undefined ? { address } : { address, about };
  const said = contentOf(fields);
  const inbound: Inbound[] = said === undefined ? [] : [{ id: fields.MessageSid, ...common, content: said }];
  for (let index = 0; index < Number(fields.NumMedia); index += 1)
    inbound.push({ id: `${fields.MessageSid}-${index}`, ...common, content: mediaOf(form, index) });
  return inbound.length === 0
    ? { kind: 'ignored', reason: 'empty message' }
    : { kind: 'events', receipts: [], inbound };
}

/** Twilio's own reading of an opt-out word goes first: it has then stopped sending to this person itself. */
function contentOf({ OptOutType, ButtonPayload, ButtonText, Body }: TwilioFields): InboundContent | undefined {
  if (OptOutType === 'STOP') return { kind: 'opt-out' };
  if (OptOutType === 'START') return { kind: 'opt-in' };
  if (ButtonPayload === undefined) return contentOfText(Body);
  const tap: InboundContent = { kind: 'suggestion', data: ButtonPayload };
  return ButtonText === undefined ? tap : { ...tap, text: ButtonText };
}

function mediaOf(form: URLSearchParams, index: number): InboundContent {
  const url = bounded(form.get(`MediaUrl${index}`), 4096);
  const mediaType = bounded(form.get(`MediaContentType${index}`), 120);
  return { kind: 'file', ...(url === undefined ? {} : { url }), ...(mediaType === undefined ? {} : { mediaType }) };
}

function bounded(value: string | null, length: number): string | undefined {
  return value !== null && value !== '' && value.length <= length ? value : undefined;
}
