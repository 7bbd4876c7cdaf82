/**
 * RCS through Vonage's Messages API: a text with suggestions, or a card. The attempt id travels as `client_ref`, but
 * messages cannot be asked for by it, so an attempt whose answer was lost stays ambiguous until a receipt comes. Vonage
 * has no capability check in this API. Vonage and Google read it: `transport`, never more.
 */
import type { Outcome, RevokeResult } from '@sealpost/protocol/carriage';
import type { Adapter, AdapterContext, Attempt, Capabilities, Sent } from '../adapter.ts';
import { type HttpResult, httpCall } from '../http-call.ts';
import { fitRcs, RCS_LIMITS } from '../rcs-content.ts';
import { classifyRevoked, classifySent } from './classify.ts';
import type { RcsVonageSettings } from './config.ts';
import { MAX_TTL_MS, MIN_TTL_MS, messageRequest } from './request.ts';
import { signToken } from './token.ts';
import { readVonageWebhook } from './webhook.ts';

const CAPABILITIES: Capabilities = {
  protection: 'transport',
  readers: ['Vonage', 'Google or the carrier’s RCS platform'],
  address: 'phone',
  content: RCS_LIMITS,
  delivered: true,
  read: true,
  idempotent: false,
  maxTtl: MAX_TTL_MS,
  lookup: false,
  query: false,
  revoke: 'before-delivery',
  inbound: true,
  webhook: 'signed',
};

export function createRcsVonage(settings: RcsVonageSettings, context: AdapterContext): Adapter {
  async function call(method: 'POST' | 'PATCH', url: string, body: object): Promise<HttpResult | undefined> {
    const token = await signToken(settings, context);
    if (token === undefined) return undefined;
    return httpCall({ fetch: context.fetch, now: context.now, timeoutMs: settings.timeout }, url, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'application/json',
      },
      body: JSON.stringify(body),
    });
  }

  async function send(attempt: Attempt): Promise<Outcome> {
    const now = context.now();
    if (attempt.expires - now < MIN_TTL_MS) return { kind: 'permanent', reason: 'expires too soon to send' };
    const fitted = fitRcs(attempt.payload, RCS_LIMITS, settings.button_text);
    if (fitted.kind === 'refused') return { kind: 'permanent', reason: fitted.reason };
    const body = messageRequest(settings, attempt, fitted.message, now);
    const result = await call('POST', `${settings.base_url}/v1/messages`, body);
    return result === undefined ? { kind: 'auth-broken', reason: 'private key file unusable' } : classifySent(result);
  }

  async function revoke({ providerMessageId }: Sent): Promise<RevokeResult> {
    if (providerMessageId === undefined) return { kind: 'unknown', reason: 'no message id' };
    const url = `${settings.revoke_url}/v1/messages/${encodeURIComponent(providerMessageId)}`;
    const result = await call('PATCH', url, { status: 'revoked' });
    return result === undefined ? { kind: 'unknown', reason: 'private key file unusable' } : classifyRevoked(result);
  }

  return {
    capabilities: CAPABILITIES,
    async start() {},
    send,
    revoke,
    webhook: (request) => readVonageWebhook(request, settings, context),
    async stop() {},
  };
}
