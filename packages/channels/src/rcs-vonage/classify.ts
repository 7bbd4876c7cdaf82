/**
 * How one call ended, from its HTTP status and the code of Vonage's error list
 * (https://developer.vonage.com/en/api-errors/messages). Vonage documents no idempotency key for Messages, so only what
 * was certainly not taken may be repeated.
 */
import type { Outcome, RevokeResult } from '@sealpost/protocol/carriage';
import type { HttpResult } from '../http-call.ts';
import { commonRefusal, reasonOf, withoutAnswer } from '../single-effect.ts';
import { parseMessageUuid, parseProblemCode } from './answer-schema.ts';

const BUSY_MS = 30_000;

/** A code that is not here makes a refusal `permanent`. */
const MEANING: Readonly<Record<string, 'auth-broken' | 'downgrade' | 'retry-after' | 'ambiguous'>> = {
  /** Throttled. */
  1000: 'retry-after',
  /** Internal error: an error in processing, at whatever step. */
  1030: 'ambiguous',
  /** Invalid message: for example an unrecognised prefix of the number. */
  1040: 'downgrade',
  /** Number barred. */
  1050: 'downgrade',
  /** Partner account barred; quota exceeded; not enabled for REST. */
  1060: 'auth-broken',
  1070: 'auth-broken',
  1080: 'auth-broken',
  /** Communication failed: not submitted. */
  1100: 'retry-after',
  /** Illegal sender address. */
  1120: 'auth-broken',
  /** Facility not allowed on this account. */
  1140: 'auth-broken',
  /** Destination is not on the account's own list. */
  1160: 'downgrade',
  /** Invalid or missing phone number. */
  1170: 'downgrade',
};

export function classifySent(result: HttpResult): Outcome {
  if (result.kind !== 'answered') return withoutAnswer(result);
  if (result.status === 202) {
    const uuid = parseMessageUuid(result.body);
    if (uuid === undefined) return { kind: 'ambiguous', reason: '202 without a message' };
    return { kind: 'accepted', providerMessageId: uuid };
  }
  const code = parseProblemCode(result.body);
  const reason = reasonOf(result.status, code);
  const common = commonRefusal(result, reason);
  if (common !== undefined) return common;
  // 402 is "low balance": as with refused credentials, the account needs its operator.
  if ([401, 402, 403].includes(result.status)) return { kind: 'auth-broken', reason };
  const kind = code !== undefined && Object.hasOwn(MEANING, code) ? MEANING[code] : undefined;
  if (kind === 'retry-after') return { kind, afterMs: result.retryAfterMs ?? BUSY_MS, reason };
  return { kind: kind ?? 'permanent', reason };
}

/** A revocation may be asked for within 24 hours and promises nothing ("RCS Message Revocation", "Things to Note"). */
export function classifyRevoked(result: HttpResult): RevokeResult {
  if (result.kind !== 'answered')
    return result.kind === 'unsent'
      ? { kind: 'retry-after', afterMs: BUSY_MS, reason: `connection ${result.code}` }
      : { kind: 'unknown', reason: `no answer ${result.code}` };
  if (result.status >= 200 && result.status < 300) return { kind: 'revoked' };
  const reason = reasonOf(result.status, parseProblemCode(result.body));
  if (result.status === 429) return { kind: 'retry-after', afterMs: result.retryAfterMs ?? BUSY_MS, reason };
  return [404, 409, 410, 422].includes(result.status) ? { kind: 'too-late', reason } : { kind: 'unknown', reason };
}
