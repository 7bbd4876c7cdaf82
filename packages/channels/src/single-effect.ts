/**
 * What a call means at a provider that would act on a repeat again: an attempt may be repeated only where the provider
 * certainly did not take it. A 429 says so, and so does a connection that never opened; a timeout, a broken connection
 * and every 5xx say nothing about the effect.
 */
import type { Outcome } from '@sealpost/protocol/carriage';
import type { HttpAnswer, HttpResult } from './http-call.ts';

const RETRY_MS = { unsent: 5_000, quota: 30_000 } as const;

export type Unanswered = Exclude<HttpResult, HttpAnswer>;

export function withoutAnswer(result: Unanswered): Outcome {
  return result.kind === 'unsent'
    ? { kind: 'retry-after', afterMs: RETRY_MS.unsent, reason: `connection ${result.code}` }
    : { kind: 'ambiguous', reason: `no answer ${result.code}` };
}

/** The answers whose meaning is the same everywhere; `undefined` where the provider's own table decides. */
export function commonOutcome({ status, retryAfterMs }: HttpAnswer, reason: string): Outcome | undefined {
  if (status === 429) return { kind: 'retry-after', afterMs: retryAfterMs ?? RETRY_MS.quota, reason };
  if (status === 408 || status >= 500) return { kind: 'ambiguous', reason };
  return undefined;
}

/**
 * The same of an answer that is not the success the provider publishes. Another success is none either: whoever gave it,
 * the provider or something in between, may have taken the message.
 */
export function commonRefusal(answer: HttpAnswer, reason: string): Outcome | undefined {
  return answer.status < 300 ? { kind: 'ambiguous', reason } : commonOutcome(answer, reason);
}

/** A reason of codes alone, within its bound. */
export function reasonOf(...codes: readonly (string | number | undefined)[]): string {
  return codes
    .filter((code) => code !== undefined && code !== '')
    .join(' ')
    .slice(0, 120);
}
