/**
 * RCS through Sinch's Conversation API: a text, a text with choices, or a card, to a recipient known by RCS alone. Sinch
 * and Google read it: `transport`, never more.
 * No `lookup`: a capability query is answered later by a callback (`capability:query`). No `query`: messages are listed
 * by channel identity and not by our reference, and in dispatch mode none is kept unless the app says so. No `revoke`:
 * deleting a message removes it from Sinch's storage and from no phone ("Delete a message").
 */
import type { Adapter, AdapterContext, Capabilities } from '../adapter.ts';
import { httpCall } from '../http-call.ts';
import { createTokens, type Exchange, exchangeOf, withToken } from '../oauth-token.ts';
import { fitRcs, RCS_LIMITS } from '../rcs-content.ts';
import { secretText } from '../secret-text.ts';
import { classifySinch } from './classify.ts';
import type { RcsSinchSettings } from './config.ts';
import { MAX_TTL_MS, sendRequest } from './request.ts';
import { readSinchWebhook } from './webhook.ts';

/** `ttl` is at least three seconds. */
const MIN_TTL_MS = 3_000;

const CAPABILITIES: Capabilities = {
  protection: 'transport',
  readers: ['Sinch', 'Google or the carrier’s RCS platform'],
  address: 'phone',
  /** Choices are limited to ten ("Choice message"). */
  content: { ...RCS_LIMITS, suggestions: 10 },
  delivered: true,
  read: true,
  idempotent: false,
  maxTtl: MAX_TTL_MS,
  lookup: false,
  query: false,
  revoke: 'no',
  inbound: true,
  webhook: 'signed',
};

export function createRcsSinch(settings: RcsSinchSettings, context: AdapterContext): Adapter {
  const http = { fetch: context.fetch, now: context.now, timeoutMs: settings.timeout };
  const tokens = createTokens(context.now, () => askForToken(settings, context));
  const url = `${settings.base_url}/v1/projects/${settings.project_id}/messages:send`;

  return {
    capabilities: CAPABILITIES,
    async start() {},
    async send(attempt) {
      if (attempt.expires - context.now() < MIN_TTL_MS)
        return { kind: 'permanent', reason: 'expires too soon to send' };
      const fitted = fitRcs(attempt.payload, CAPABILITIES.content, settings.button_text);
      if (fitted.kind === 'refused') return { kind: 'permanent', reason: fitted.reason };
      return withToken(tokens, async (token) => {
        const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
        const request = sendRequest(settings, attempt, fitted.message, context.now());
        return classifySinch(await httpCall(http, url, { method: 'POST', headers, body: JSON.stringify(request) }));
      });
    },
    webhook: (request) => readSinchWebhook(request, settings, context),
    async stop() {},
  };
}

/** Client credentials under HTTP Basic (RFC 6749 section 4.4; Sinch, "OAuth 2.0 authentication"). */
async function askForToken(settings: RcsSinchSettings, context: AdapterContext): Promise<Exchange> {
  const secret = await secretText(context, settings.key_secret_file);
  if (secret === undefined) return { kind: 'refused', reason: 'key secret file unreadable' };
  const credentials = Buffer.from(`${settings.key_id}:${secret}`).toString('base64');
  const call = { fetch: context.fetch, now: context.now, timeoutMs: settings.timeout };
  const answer = await httpCall(call, settings.token_url, {
    method: 'POST',
    headers: { authorization: `Basic ${credentials}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  return exchangeOf(answer);
}
