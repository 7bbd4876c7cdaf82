/**
 * RCS for Business (Google RBM) as a channel: a text with suggestions, or a card. The attempt id is the messageId, so a
 * repeat of an attempt is ignored by the platform (API reference, phones.agentMessages.create). Google reads what it
 * carries: this is `transport` protection, never more.
 */
import type { Outcome } from '@sealpost/protocol/carriage';
import type { Adapter, AdapterContext, Capabilities } from '../adapter.ts';
import { type HttpResult, httpCall } from '../http-call.ts';
import { createAccessTokens, type TokenResult } from './access-token.ts';
import { agentMessage, fitForGoogle, LIMITS, MAX_TTL_MS } from './agent-message.ts';
import { parseFeatures } from './answer-schema.ts';
import { classify } from './classify.ts';
import type { RcsGoogleSettings } from './config.ts';
import { readWebhook } from './webhook.ts';

/** Shorter lives than this are not honoured (API reference, "Set a message expiration"). */
const MIN_TTL_MS = 10_000;
const TOKEN_RETRY_MS = 5_000;

const CAPABILITIES: Capabilities = {
  protection: 'transport',
  readers: ['Google', 'the carrier’s RCS platform'],
  address: 'phone',
  content: LIMITS,
  delivered: true,
  read: true,
  idempotent: true,
  maxTtl: MAX_TTL_MS,
  lookup: true,
  /** Not needed: a repeat under the same id is ignored. */
  query: false,
  revoke: 'before-delivery',
  inbound: true,
  webhook: 'signed',
};

type Called = HttpResult | Exclude<TokenResult, { kind: 'token' }>;

export function createRcsGoogle(settings: RcsGoogleSettings, context: AdapterContext): Adapter {
  const tokens = createAccessTokens(settings, context);

  /** One call under a token, and once more under a fresh one if the first was refused for it. */
  async function call(method: 'GET' | 'POST' | 'DELETE', path: string, query: object, body?: object): Promise<Called> {
    const url = `${settings.base_url}${path}?${new URLSearchParams({ ...query, agentId: settings.agent_id })}`;
    const under = (token: string) =>
      httpCall({ fetch: context.fetch, now: context.now, timeoutMs: settings.timeout }, url, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    const first = await tokens.get();
    if (first.kind !== 'token') return first;
    const answer = await under(first.token);
    if (answer.kind !== 'answered' || answer.status !== 401) return answer;
    const second = await tokens.get(first.token);
    return second.kind === 'token' ? under(second.token) : second;
  }

  return {
    capabilities: CAPABILITIES,
    async start() {},
    async send({ id, address, payload, expires }) {
      if (expires - context.now() < MIN_TTL_MS) return { kind: 'permanent', reason: 'expires too soon to send' };
      const fitted = fitForGoogle(payload, settings);
      if (fitted.kind === 'refused') return { kind: 'permanent', reason: fitted.reason };
      const body = agentMessage(settings, fitted.message, expires, context.now());
      const called = await call('POST', `${phonePath(address)}/agentMessages`, { messageId: id }, body);
      return isWithoutToken(called) ? withoutToken(called) : classify(called, id);
    },
    async lookup(address) {
      const called = await call('GET', `${phonePath(address)}/capabilities`, { requestId: requestId(context) });
      if (called.kind !== 'answered') return { kind: 'unknown', reason: called.kind };
      // 404: not on RCS, RCS switched off, carrier not launched ("Capability checks").
      if (called.status === 404) return { kind: 'unreachable', reason: 'not on RCS' };
      const features = called.status === 200 ? parseFeatures(called.body) : undefined;
      return features === undefined
        ? { kind: 'unknown', reason: String(called.status) }
        : { kind: 'reachable', features };
    },
    async revoke({ id, address }) {
      const called = await call('DELETE', `${phonePath(address)}/agentMessages/${id}`, {});
      if (called.kind !== 'answered') return { kind: 'retry-after', afterMs: TOKEN_RETRY_MS, reason: called.kind };
      if (called.status === 200) return { kind: 'revoked' };
      if (called.status === 404) return { kind: 'too-late', reason: '404' };
      return called.status === 429 || called.status >= 500
        ? { kind: 'retry-after', afterMs: called.retryAfterMs ?? TOKEN_RETRY_MS, reason: String(called.status) }
        : { kind: 'unknown', reason: String(called.status) };
    },
    webhook: (request) => readWebhook(request, settings, context),
    async stop() {},
  };
}

function isWithoutToken(called: Called): called is Exclude<TokenResult, { kind: 'token' }> {
  return called.kind === 'refused' || called.kind === 'unavailable';
}

function withoutToken(result: Exclude<TokenResult, { kind: 'token' }>): Outcome {
  return result.kind === 'refused'
    ? { kind: 'auth-broken', reason: result.reason }
    : { kind: 'retry-after', afterMs: result.afterMs ?? TOKEN_RETRY_MS, reason: result.reason };
}

function phonePath(address: string): string {
  return `/v1/phones/${encodeURIComponent(address)}`;
}

/** A version 4 UUID (RFC 9562 section 5.4). */
function requestId({ random }: AdapterContext): string {
  const bytes = random(16).map((octet, at) =>
    at === 6 ? (octet & 0x0f) | 0x40 : at === 8 ? (octet & 0x3f) | 0x80 : octet,
  );
  return Buffer.from(bytes)
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
