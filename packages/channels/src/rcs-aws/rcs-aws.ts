/**
 * RCS through AWS End User Messaging: a text with suggestions, or a card. Sent by the agent itself, so that nothing but RCS
 * can carry it. A message that was taken can be neither asked for, by a reference of ours, nor taken back. AWS and Google
 * read it: `transport`, never more.
 */
import type { Outcome } from '@sealpost/protocol/carriage';
import type { Adapter, AdapterContext, Attempt, Capabilities } from '../adapter.ts';
import { httpCall } from '../http-call.ts';
import { fitRcs } from '../rcs-content.ts';
import { secretText } from '../secret-text.ts';
import { classifySent } from './classify.ts';
import type { RcsAwsSettings } from './config.ts';
import { AWS_LIMITS, limitsFor, MAX_TTL_MS, sendRequest } from './request.ts';
import { endpointOf, signedHeaders } from './sign-request.ts';
import { createSnsVerifier } from './sns-signature.ts';
import { readAwsWebhook } from './webhook.ts';

const MIN_TTL_MS = 1_000;

const CAPABILITIES: Capabilities = {
  protection: 'transport',
  readers: ['AWS', 'Google or the carrier’s RCS platform'],
  address: 'phone',
  content: AWS_LIMITS,
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

export function createRcsAws(settings: RcsAwsSettings, context: AdapterContext): Adapter {
  const verifier = createSnsVerifier(settings, context);

  async function send(attempt: Attempt): Promise<Outcome> {
    const now = context.now();
    if (attempt.expires - now < MIN_TTL_MS) return { kind: 'permanent', reason: 'expires too soon to send' };
    const fitted = fitRcs(attempt.payload, limitsFor(attempt.payload), settings.button_text);
    if (fitted.kind === 'refused') return { kind: 'permanent', reason: fitted.reason };
    const secret = await secretText(context, settings.secret_access_key_file);
    if (secret === undefined) return { kind: 'auth-broken', reason: 'secret access key file unreadable' };
    const body = JSON.stringify(sendRequest(settings, attempt, fitted.message, now));
    const headers = await signedHeaders(settings, secret, body, now);
    const call = { fetch: context.fetch, now: context.now, timeoutMs: settings.timeout };
    return classifySent(await httpCall(call, endpointOf(settings), { method: 'POST', headers, body }));
  }

  return {
    capabilities: CAPABILITIES,
    async start() {},
    send,
    webhook: (request) => readAwsWebhook(request, settings, context, verifier),
    async stop() {},
  };
}
