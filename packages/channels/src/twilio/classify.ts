/**
 * How one call ended, from its HTTP status and the code of Twilio's Error and Warning Dictionary
 * (https://www.twilio.com/docs/api/errors). Twilio documents no idempotency key for Messages, so only what was certainly
 * not taken may be repeated.
 */
import type { Outcome } from '@sealpost/protocol/carriage';
import type { HttpAnswer, HttpResult } from '../http-call.ts';
import { commonRefusal, reasonOf, withoutAnswer } from '../single-effect.ts';
import { parseErrorCode, parseMessageSid } from './answer-schema.ts';

const BUSY_MS = 30_000;

/** What a code of a refused request means for us; one that is not here makes a refusal `permanent`. */
const MEANING: Readonly<Record<number, 'auth-broken' | 'downgrade' | 'retry-after' | 'permanent'>> = {
  /** Authentication Error – invalid username. */
  20003: 'auth-broken',
  /** Account not active. */
  20005: 'auth-broken',
  /** Access Denied. */
  20006: 'auth-broken',
  /** Too Many Requests. */
  20429: 'retry-after',
  /** Message rate limit of the sender exceeded. */
  14107: 'retry-after',
  /** Queue overflow. */
  30001: 'retry-after',
  /** Rate limit exceeded for Channel. */
  63018: 'retry-after',
  /** `From` is not a valid, message-capable sender of this account. */
  21603: 'auth-broken',
  21606: 'auth-broken',
  21212: 'auth-broken',
  21659: 'auth-broken',
  21660: 'auth-broken',
  /** Could not authenticate with the Channel; no Channel with this `From`; channel module misconfigured. */
  63002: 'auth-broken',
  63007: 'auth-broken',
  63008: 'auth-broken',
  /** Invalid `To`; no permission for its region; unreachable from this `From`; no mobile number; a landline. */
  21211: 'downgrade',
  21408: 'downgrade',
  21612: 'downgrade',
  21614: 'downgrade',
  21635: 'downgrade',
  /** Channel could not find `To`; channel failed to receive capabilities; not an RCS capable number. */
  63003: 'downgrade',
  63011: 'downgrade',
  63106: 'downgrade',
  /** Attempt to send to an unsubscribed recipient; blocked by user action. */
  21610: 'permanent',
  63014: 'permanent',
};

const isOfChannel = (code: number | undefined): boolean => code !== undefined && code >= 63_000 && code < 64_000;

export function classifyMessage(result: HttpResult): Outcome {
  if (result.kind !== 'answered') return withoutAnswer(result);
  if (result.status !== 201) return classifyRefusal(result);
  const sid = parseMessageSid(result.body);
  return sid === undefined
    ? { kind: 'ambiguous', reason: '201 without a message' }
    : { kind: 'accepted', providerMessageId: sid };
}

/** Any answer but the one asked for. */
export function classifyRefusal(answer: HttpAnswer): Outcome {
  const code = parseErrorCode(answer.body);
  const reason = reasonOf(answer.status, code);
  const common = commonRefusal(answer, reason);
  if (common !== undefined) return common;
  if (answer.status === 401 || answer.status === 403 || answer.status === 404) return { kind: 'auth-broken', reason };
  const kind = MEANING[code ?? 0] ?? (isOfChannel(code) ? 'downgrade' : 'permanent');
  return kind === 'retry-after' ? { kind, afterMs: answer.retryAfterMs ?? BUSY_MS, reason } : { kind, reason };
}
