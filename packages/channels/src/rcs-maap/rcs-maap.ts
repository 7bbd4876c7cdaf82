/**
 * RCS directly at an operator: a chatbot on a Messaging as a Platform, in the profile of GSMA FNW.11. A message can be asked
 * for by the operator's id alone, which an attempt whose answer was lost does not have, so there is no query. The operator
 * (and whoever runs its platform) reads it: `transport`, never more.
 */
import type { Outcome, RevokeResult } from '@sealpost/protocol/carriage';
import type { Adapter, AdapterContext, Attempt, Capabilities, Reach, Sent } from '../adapter.ts';
import { type HttpResult, httpCall } from '../http-call.ts';
import { fitRcs, RCS_LIMITS } from '../rcs-content.ts';
import { secretText } from '../secret-text.ts';
import { classifyReach, classifyRevoked, classifySent } from './classify.ts';
import type { RcsMaapSettings } from './config.ts';
import { limitsFor, messageRequest } from './request.ts';
import { readMaapWebhook } from './webhook.ts';

const CAPABILITIES: Capabilities = {
  protection: 'transport',
  readers: ['the operator and whoever runs its RCS platform'],
  address: 'phone',
  content: RCS_LIMITS,
  delivered: true,
  read: true,
  idempotent: false,
  maxTtl: 0,
  lookup: true,
  query: false,
  revoke: 'before-delivery',
  inbound: true,
  webhook: 'token',
};

const TOKEN_UNREADABLE = 'access token file unreadable';

export function createRcsMaap(settings: RcsMaapSettings, context: AdapterContext): Adapter {
  const root = `${settings.base_url}/${encodeURIComponent(settings.bot_id)}`;

  async function call(method: 'GET' | 'POST' | 'PUT', path: string, body?: object): Promise<HttpResult | undefined> {
    const token = await secretText(context, settings.access_token_file);
    if (token === undefined) return undefined;
    const common = { authorization: `Bearer ${token}`, accept: 'application/json' };
    const http = { fetch: context.fetch, now: context.now, timeoutMs: settings.timeout };
    if (body === undefined) return httpCall(http, `${root}${path}`, { method, headers: common });
    const headers = { ...common, 'content-type': 'application/json' };
    return httpCall(http, `${root}${path}`, { method, headers, body: JSON.stringify(body) });
  }

  async function send(attempt: Attempt): Promise<Outcome> {
    if (attempt.expires <= context.now()) return { kind: 'permanent', reason: 'expired' };
    const fitted = fitRcs(attempt.payload, limitsFor(attempt.payload), settings.button_text);
    if (fitted.kind === 'refused') return { kind: 'permanent', reason: fitted.reason };
    const result = await call('POST', '/messages', messageRequest(attempt, fitted.message));
    return result === undefined ? { kind: 'auth-broken', reason: TOKEN_UNREADABLE } : classifySent(result);
  }

  async function lookup(address: string): Promise<Reach> {
    const result = await call('GET', `/contactCapabilities?userContact=${encodeURIComponent(address)}`);
    return result === undefined ? { kind: 'unknown', reason: TOKEN_UNREADABLE } : classifyReach(result);
  }

  async function revoke({ providerMessageId }: Sent): Promise<RevokeResult> {
    if (providerMessageId === undefined) return { kind: 'unknown', reason: 'no message id' };
    const path = `/messages/${encodeURIComponent(providerMessageId)}/status`;
    const result = await call('PUT', path, { RCSMessage: { status: 'cancelled' } });
    return result === undefined ? { kind: 'unknown', reason: TOKEN_UNREADABLE } : classifyRevoked(result);
  }

  return {
    capabilities: CAPABILITIES,
    async start() {},
    send,
    lookup,
    revoke,
    webhook: (request) => readMaapWebhook(request, settings, context),
    async stop() {},
  };
}
