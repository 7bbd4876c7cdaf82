/**
 * How one agentMessages call ended, from its HTTP result alone (API reference, "Error codes"). Everything that may have
 * reached Google is safe to repeat there, because the platform ignores a messageId it has seen, and only there: an answer
 * that does not rule out an effect is `ambiguous`, so that nobody hands the message to another provider.
 */
import type { Outcome } from '@sealpost/protocol/carriage';
import type { HttpAnswer, HttpResult } from '../http-call.ts';
import { parseAgentMessageId, parseGoogleError } from './answer-schema.ts';

const RETRY_MS = { unsent: 5_000, busy: 5_000, quota: 30_000 } as const;

/** google.rpc.ErrorInfo reasons of a 403 that speak of our project or key, not of this person (google.api.ErrorReason). */
const OUR_CREDENTIALS = new Set([
  'ACCESS_TOKEN_SCOPE_INSUFFICIENT',
  'ACCOUNT_STATE_INVALID',
  'BILLING_DISABLED',
  'CONSUMER_INVALID',
  'CONSUMER_SUSPENDED',
  'IAM_PERMISSION_DENIED',
  'SERVICE_DISABLED',
]);

export function classify(result: HttpResult, messageId: string): Outcome {
  switch (result.kind) {
    case 'unsent':
      return { kind: 'retry-after', afterMs: RETRY_MS.unsent, reason: `connection ${result.code}` };
    case 'unanswered':
      return { kind: 'ambiguous', reason: `no answer ${result.code}` };
    case 'answered':
      return result.status === 200 ? taken(result, messageId) : refused(result);
  }
}

function taken(answer: HttpAnswer, messageId: string): Outcome {
  return parseAgentMessageId(answer.body) === messageId
    ? { kind: 'accepted', providerMessageId: messageId }
    : { kind: 'ambiguous', reason: '200 without our message' };
}

function refused({ status, body, retryAfterMs }: HttpAnswer): Outcome {
  const error = parseGoogleError(body);
  const reason = [String(status), error.status, ...error.reasons].filter(Boolean).join(' ').slice(0, 120);
  switch (status) {
    case 401:
      return { kind: 'auth-broken', reason: '401 with a fresh token' };
    case 403:
      return error.reasons.some((code) => OUR_CREDENTIALS.has(code))
        ? { kind: 'auth-broken', reason }
        : { kind: 'downgrade', reason };
    case 404:
      return { kind: 'downgrade', reason };
    case 408:
    case 409:
      return { kind: 'retry-after', afterMs: retryAfterMs ?? RETRY_MS.busy, reason };
    case 429:
      return { kind: 'retry-after', afterMs: retryAfterMs ?? RETRY_MS.quota, reason };
    case 503:
      return { kind: 'retry-after', afterMs: retryAfterMs ?? RETRY_MS.busy, reason };
    default:
      return status >= 500 ? { kind: 'ambiguous', reason } : { kind: 'permanent', reason };
  }
}
