/**
 * WhatsApp through Meta's Cloud API: text, up to three reply buttons or one link button, a file by link or upload. Outside
 * 24 hours of the person's last message only the template set for notices reaches them (error 131047). Sent messages can be
 * neither asked for nor taken back. The Cloud API holds the business's keys, so Meta reads it: `transport`, never more.
 */
import type { CarriedFile, Outcome } from '@sealpost/protocol/carriage';
import type { Adapter, AdapterContext, Attempt, Capabilities } from '../adapter.ts';
import { type HttpResult, httpCall } from '../http-call.ts';
import { secretText } from '../secret-text.ts';
import { classifySent, classifyUpload, type Uploaded } from './classify.ts';
import type { WhatsappCloudSettings } from './config.ts';
import { fitWhatsapp, WHATSAPP_LIMITS } from './fit-whatsapp.ts';
import { contentOf, envelopeTo, type Media, templateOf } from './request.ts';
import { readWhatsappWebhook } from './webhook.ts';

const CAPABILITIES: Capabilities = {
  protection: 'transport',
  readers: ['Meta, which holds the business’s keys'],
  address: 'phone',
  content: WHATSAPP_LIMITS,
  delivered: true,
  read: true,
  idempotent: false,
  maxTtl: 0,
  lookup: false,
  query: false,
  revoke: 'no',
  inbound: true,
  webhook: 'signed',
};

const TOKEN_UNREADABLE: Outcome = { kind: 'auth-broken', reason: 'access token file unreadable' };

export function createWhatsappCloud(settings: WhatsappCloudSettings, context: AdapterContext): Adapter {
  async function post(path: string, body: FormData | object): Promise<HttpResult | undefined> {
    const token = await secretText(context, settings.access_token_file);
    if (token === undefined) return undefined;
    const authorization = { authorization: `Bearer ${token}` };
    const init =
      body instanceof FormData
        ? { headers: authorization, body }
        : { headers: { ...authorization, 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const http = { fetch: context.fetch, now: context.now, timeoutMs: settings.timeout };
    return httpCall(http, `${settings.base_url}/${settings.phone_number_id}/${path}`, { method: 'POST', ...init });
  }

  async function sendContent({ address }: Attempt, content: object): Promise<Outcome> {
    const result = await post('messages', { ...envelopeTo(address), ...content });
    return result === undefined ? TOKEN_UNREADABLE : classifySent(result);
  }

  async function upload(name: string, mediaType: string, data: string): Promise<Uploaded> {
    const form = new FormData();
    form.set('messaging_product', 'whatsapp');
    form.set('type', mediaType);
    form.set('file', new Blob([new Uint8Array(Buffer.from(data, 'base64url'))], { type: mediaType }), name);
    const result = await post('media', form);
    return result === undefined ? TOKEN_UNREADABLE : classifyUpload(result);
  }

  async function placeOf({
    name,
    mediaType,
    source,
  }: CarriedFile): Promise<Outcome | { kind: 'placed'; media: Media }> {
    if (source.kind === 'url') return { kind: 'placed', media: { link: source.url } };
    const uploaded = await upload(name, mediaType, source.data);
    return uploaded.kind === 'uploaded' ? { kind: 'placed', media: { id: uploaded.id } } : uploaded;
  }

  async function send(attempt: Attempt): Promise<Outcome> {
    if (attempt.expires <= context.now()) return { kind: 'permanent', reason: 'expired' };
    const template = templateOf(settings, attempt.payload);
    if (template !== undefined) return sendContent(attempt, template);
    const fitted = fitWhatsapp(attempt.payload, settings.button_text);
    if (fitted.kind === 'refused') return { kind: 'permanent', reason: fitted.reason };
    const { message } = fitted;
    if (message.file === undefined) return sendContent(attempt, contentOf(message, undefined));
    const place = await placeOf(message.file);
    return place.kind === 'placed' ? sendContent(attempt, contentOf(message, place.media)) : place;
  }

  return {
    capabilities: CAPABILITIES,
    async start() {},
    send,
    webhook: (request) => readWhatsappWebhook(request, settings, context),
    async stop() {},
  };
}
