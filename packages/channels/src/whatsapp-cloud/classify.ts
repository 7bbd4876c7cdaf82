/**
 * How a call ended, from its HTTP status and Meta's code (Meta, "Cloud API error codes"; handled by code, never by title, as
 * the page asks). There is no idempotency key, so only what was certainly not taken may be repeated. Most refusals for a
 * person come later, in a webhook.
 */
import type { Outcome } from '@sealpost/protocol/carriage';
import type { HttpAnswer, HttpResult } from '../http-call.ts';
import { commonRefusal, reasonOf, withoutAnswer } from '../single-effect.ts';
import { parseErrorCode, parseMediaId, parseMessageId } from './answer-schema.ts';

const BUSY_MS = 30_000;

/** A code that is not here makes a refusal `permanent`. */
const MEANING: Readonly<Record<number, Exclude<Outcome['kind'], 'accepted' | 'permanent'>>> = {
  /** AuthException, API method, permission denied, access token expired. */
  0: 'auth-broken',
  3: 'auth-broken',
  10: 'auth-broken',
  190: 'auth-broken',
  131005: 'auth-broken',
  /** Payment problem; phone number not registered; incorrect certificate. */
  131042: 'auth-broken',
  131045: 'auth-broken',
  133010: 'auth-broken',
  /** Template does not exist, does not match, is paused or disabled: the settings are wrong, not the message. */
  132000: 'auth-broken',
  132001: 'auth-broken',
  132012: 'auth-broken',
  132015: 'auth-broken',
  132016: 'auth-broken',
  /** Unknown and unavailable: Meta does not say at which step. */
  1: 'ambiguous',
  2: 'ambiguous',
  131000: 'ambiguous',
  131016: 'ambiguous',
  133004: 'ambiguous',
  /** Call, account, throughput and pair rate limits. */
  4: 'retry-after',
  80007: 'retry-after',
  130429: 'retry-after',
  131056: 'retry-after',
  131057: 'retry-after',
  133016: 'retry-after',
  /** Undeliverable; not on the allowed list; outside the 24-hour window; per-person limit; in an experiment. */
  131026: 'downgrade',
  131030: 'downgrade',
  131047: 'downgrade',
  131049: 'downgrade',
  130472: 'downgrade',
  /** Temporarily blocked for policy violations; account locked or restricted; spam limit hit. */
  368: 'security-stop',
  131031: 'security-stop',
  130497: 'security-stop',
  131048: 'security-stop',
};

export function classifySent(result: HttpResult): Outcome {
  if (result.kind !== 'answered') return withoutAnswer(result);
  if (result.status !== 200) return classifyRefusal(result);
  const id = parseMessageId(result.body);
  if (id === undefined) return { kind: 'ambiguous', reason: '200 without a message' };
  return { kind: 'accepted', providerMessageId: id };
}

export type Uploaded = { readonly kind: 'uploaded'; readonly id: string } | Outcome;

/** Nothing reaches a person by an upload, so one that failed in whatever way may be tried again. */
export function classifyUpload(result: HttpResult): Uploaded {
  if (result.kind !== 'answered') return { kind: 'retry-after', afterMs: BUSY_MS, reason: `upload ${result.code}` };
  const id = result.status === 200 ? parseMediaId(result.body) : undefined;
  if (id !== undefined) return { kind: 'uploaded', id };
  if (result.status === 200) return { kind: 'retry-after', afterMs: BUSY_MS, reason: 'upload without an id' };
  const outcome = classifyRefusal(result);
  return outcome.kind === 'ambiguous' ? { ...outcome, kind: 'retry-after', afterMs: BUSY_MS } : outcome;
}

function classifyRefusal(answer: HttpAnswer): Outcome {
  const code = parseErrorCode(answer.body);
  const reason = reasonOf(answer.status, code);
  const common = commonRefusal(answer, reason);
  if (common !== undefined) return common;
  const kind = code === undefined ? undefined : meaningOf(code);
  if (kind === 'retry-after') return { kind, afterMs: answer.retryAfterMs ?? BUSY_MS, reason };
  if (kind !== undefined) return { kind, reason };
  return { kind: answer.status === 401 || answer.status === 403 ? 'auth-broken' : 'permanent', reason };
}

/** Codes 200 to 299 are permissions not granted, each its own. */
function meaningOf(code: number): (typeof MEANING)[number] | undefined {
  return code >= 200 && code < 300 ? 'auth-broken' : MEANING[code];
}
