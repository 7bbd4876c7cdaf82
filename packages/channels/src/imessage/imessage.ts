/**
 * iMessage by BlueBubbles, a server that drives Messages on a Mac of ours: text only. Between that Mac and the person's
 * devices iMessage is end-to-end encrypted by Apple; the Mac holds everything in clear. Conversations are named
 * `iMessage;-;<number>`, never `SMS;-;`, so Messages has no conversation to fall back to SMS in.
 *
 * Taking back needs BlueBubbles' private API and ends two minutes after sending (Apple, "Unsend and edit messages"), too
 * soon to promise. Files are named by link only: an upload is a second request, and two effects have no one answer.
 */
import type { Outcome } from '@sealpost/protocol/carriage';
import type { Adapter, AdapterContext, Attempt, Capabilities, ContentLimits, Reach } from '../adapter.ts';
import { fit } from '../fit.ts';
import { httpCall } from '../http-call.ts';
import { secretText } from '../secret-text.ts';
import { classifyAvailable, classifySent } from './classify.ts';
import type { ImessageSettings } from './config.ts';
import { readImessageWebhook } from './webhook.ts';

const LIMITS: ContentLimits = {
  text: 20_000,
  textUnit: 'characters',
  title: 0,
  suggestions: 0,
  suggestionText: 0,
  openLinks: false,
  file: 'none',
  fileBytes: 0,
  fileTypes: [],
};

const CAPABILITIES: Capabilities = {
  protection: 'vendor-e2ee',
  readers: ['our Mac that runs BlueBubbles, and whoever administers it'],
  address: 'phone',
  content: LIMITS,
  delivered: true,
  read: true,
  idempotent: false,
  maxTtl: 0,
  lookup: true,
  query: false,
  revoke: 'no',
  inbound: true,
  webhook: 'token',
};

export function createImessage(settings: ImessageSettings, context: AdapterContext): Adapter {
  const http = { fetch: context.fetch, now: context.now, timeoutMs: settings.timeout };

  /** `undefined` when the password cannot be read. */
  async function addressOf(path: string, query: Readonly<Record<string, string>> = {}): Promise<string | undefined> {
    const password = await secretText(context, settings.password_file);
    if (password === undefined) return undefined;
    return `${settings.base_url}/api/v1/${path}?${new URLSearchParams({ ...query, password })}`;
  }

  async function send({ id, address, payload, expires }: Attempt): Promise<Outcome> {
    if (expires <= context.now()) return { kind: 'permanent', reason: 'expired' };
    const fitted = fit(payload, LIMITS, '');
    if (fitted.kind === 'refused') return { kind: 'permanent', reason: fitted.reason };
    const url = await addressOf('message/text');
    if (url === undefined) return { kind: 'auth-broken', reason: 'password file unreadable' };
    const body = JSON.stringify({
      chatGuid: `iMessage;-;${address}`,
      tempGuid: id,
      message: fitted.message.text,
      method: settings.method,
    });
    const headers = { 'content-type': 'application/json' };
    return classifySent(await httpCall(http, url, { method: 'POST', headers, body }));
  }

  async function lookup(address: string): Promise<Reach> {
    const url = await addressOf('handle/availability/imessage', { address });
    if (url === undefined) return { kind: 'unknown', reason: 'password file unreadable' };
    return classifyAvailable(await httpCall(http, url, { method: 'GET' }));
  }

  return {
    capabilities: CAPABILITIES,
    async start() {},
    send,
    lookup,
    webhook: (request) => readImessageWebhook(request, settings, context),
    async stop() {},
  };
}
