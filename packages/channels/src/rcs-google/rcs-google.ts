/**
 * RCS for Business (Google RBM) as a channel: a notice becomes one text with one button that opens its link. The attempt
 * id is the messageId, so a repeat of an attempt is ignored by the platform (API reference, phones.agentMessages.create).
 * Google reads what it carries: this is `transport` protection, never more.
 */
import type { Outcome } from '@sealpost/protocol/carriage';
import type { Adapter, AdapterContext, Attempt, Capabilities } from '../adapter.ts';
import { httpCall } from '../http-call.ts';
import { createAccessTokens, type TokenResult } from './access-token.ts';
import { type Classified, classify } from './classify.ts';
import type { RcsGoogleSettings } from './config.ts';
import { readWebhook } from './webhook.ts';

const DAY_MS = 86_400_000;
/** Shorter lives than this are not honoured (API reference, "Set a message expiration"). */
const MIN_TTL_MS = 10_000;
const TOKEN_RETRY_MS = 5_000;

const CAPABILITIES: Capabilities = {
  protection: 'transport',
  textLimit: 3072,
  delivered: true,
  read: true,
  idempotent: true,
  maxTtl: 15 * DAY_MS,
  webhook: 'signed',
};

export function createRcsGoogle(settings: RcsGoogleSettings, context: AdapterContext): Adapter {
  const tokens = createAccessTokens(settings, context);

  async function post(attempt: Attempt, token: string): Promise<Classified> {
    const call = { fetch: context.fetch, now: context.now, timeoutMs: settings.timeout };
    const result = await httpCall(call, agentMessagesUrl(settings, attempt), {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(agentMessage(settings, attempt, context.now())),
    });
    return classify(result, attempt.id);
  }

  return {
    capabilities: CAPABILITIES,
    async start() {},
    async send(attempt) {
      if (attempt.expires - context.now() < MIN_TTL_MS)
        return { kind: 'permanent', reason: 'expires too soon to send' };
      const first = await tokens.get();
      if (first.kind !== 'token') return withoutToken(first);
      const outcome = await post(attempt, first.token);
      if (outcome.kind !== 'unauthorized') return outcome;
      const second = await tokens.get(first.token);
      if (second.kind !== 'token') return withoutToken(second);
      const repeated = await post(attempt, second.token);
      return repeated.kind === 'unauthorized' ? { kind: 'auth-broken', reason: '401 with a fresh token' } : repeated;
    },
    webhook: (request) => readWebhook(request, settings, context),
    async stop() {},
  };
}

function withoutToken(result: Exclude<TokenResult, { kind: 'token' }>): Outcome {
  return result.kind === 'refused'
    ? { kind: 'auth-broken', reason: result.reason }
    : { kind: 'retry-after', afterMs: result.afterMs ?? TOKEN_RETRY_MS, reason: result.reason };
}

function agentMessagesUrl(settings: RcsGoogleSettings, attempt: Attempt): string {
  const query = new URLSearchParams({ messageId: attempt.id, agentId: settings.agent_id });
  return `${settings.base_url}/v1/phones/${encodeURIComponent(attempt.address)}/agentMessages?${query}`;
}

/** An AgentMessage. `expireTime` rather than `ttl`: a repeat of the attempt then says the same thing. */
function agentMessage(settings: RcsGoogleSettings, { payload, expires }: Attempt, now: number): object {
  const open = { text: settings.button_text, postbackData: 'b3Blbg==', openUrlAction: { url: payload.url } };
  return {
    contentMessage: { text: payload.text, suggestions: [{ action: { ...open, fallbackUrl: payload.url } }] },
    messageTrafficType: settings.traffic_type,
    expireTime: new Date(Math.min(expires, now + CAPABILITIES.maxTtl - 60_000)).toISOString(),
  };
}
