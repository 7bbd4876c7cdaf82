/**
 * Bearer tokens that end (RFC 6749): asked for once, shared by the calls that wait for them, kept until shortly before
 * they end, and renewed once when a call is answered 401. How a token is asked for is the provider's own affair.
 */
import type { Outcome } from '@sealpost/protocol/carriage';
import { z } from 'zod';
import type { HttpResult } from './http-call.ts';
import { jsonOf } from './webhook-request.ts';

/** Ask anew this long before a token ends, so that none ends on the way. */
const MARGIN_MS = 60_000;
const RETRY_MS = 5_000;

/** The token endpoint gave none; nothing was sent to anyone. */
export type NoToken =
  /** It is away or busy. */
  | { readonly kind: 'unavailable'; readonly afterMs: number | undefined; readonly reason: string }
  /** It, or our own file, says these credentials do not work. */
  | { readonly kind: 'refused'; readonly reason: string };
export type TokenResult = { readonly kind: 'token'; readonly token: string } | NoToken;
export type Exchange = { readonly kind: 'issued'; readonly token: string; readonly lifetimeMs: number } | NoToken;

export interface AccessTokens {
  /** The token at hand, or a new one. Pass the token a 401 was answered to: it is never returned again. */
  get(refused?: string): Promise<TokenResult>;
}

export function createTokens(now: () => number, exchange: () => Promise<Exchange>): AccessTokens {
  let held: { token: string; until: number } | undefined;
  let underWay: Promise<TokenResult> | undefined;

  async function renew(): Promise<TokenResult> {
    const asked = now();
    const result = await exchange();
    if (result.kind !== 'issued') return result;
    held = { token: result.token, until: asked + result.lifetimeMs - MARGIN_MS };
    return { kind: 'token', token: result.token };
  }

  return {
    get(refused) {
      if (held !== undefined && (held.token === refused || now() >= held.until)) held = undefined;
      if (held !== undefined) return Promise.resolve({ kind: 'token', token: held.token });
      underWay ??= renew().finally(() => {
        underWay = undefined;
      });
      return underWay;
    },
  };
}

export type CallOutcome = Outcome | { readonly kind: 'unauthorized' };

/** One call under a token, and once more under a fresh one if the first was refused for it. */
export async function withToken(tokens: AccessTokens, call: (token: string) => Promise<CallOutcome>): Promise<Outcome> {
  const first = await tokens.get();
  if (first.kind !== 'token') return withoutToken(first);
  const outcome = await call(first.token);
  if (outcome.kind !== 'unauthorized') return outcome;
  const second = await tokens.get(first.token);
  if (second.kind !== 'token') return withoutToken(second);
  const repeated = await call(second.token);
  return repeated.kind === 'unauthorized' ? { kind: 'auth-broken', reason: '401 with a fresh token' } : repeated;
}

function withoutToken(result: NoToken): Outcome {
  return result.kind === 'refused'
    ? { kind: 'auth-broken', reason: result.reason }
    : { kind: 'retry-after', afterMs: result.afterMs ?? RETRY_MS, reason: result.reason };
}

const tokenSchema = z.object({ access_token: z.string().min(1).max(16_384), expires_in: z.number().positive() });
/** RFC 6749 section 5.2. */
const refusalSchema = z.object({ error: z.string().regex(/^[A-Za-z0-9_]{1,64}$/) });

/** What a token endpoint answered (RFC 6749 sections 5.1 and 5.2). */
export function exchangeOf(answer: HttpResult): Exchange {
  if (answer.kind !== 'answered')
    return { kind: 'unavailable', afterMs: undefined, reason: `token endpoint ${answer.code}` };
  const { status, body } = answer;
  if (status === 200) {
    const token = tokenSchema.safeParse(jsonOf(body));
    if (!token.success) return { kind: 'unavailable', afterMs: undefined, reason: 'token answer malformed' };
    return { kind: 'issued', token: token.data.access_token, lifetimeMs: token.data.expires_in * 1000 };
  }
  if (status >= 400 && status < 500 && status !== 429 && status !== 408) {
    const refusal = refusalSchema.safeParse(jsonOf(body));
    return { kind: 'refused', reason: `token endpoint ${status} ${refusal.success ? refusal.data.error : 'unknown'}` };
  }
  return { kind: 'unavailable', afterMs: answer.retryAfterMs, reason: `token endpoint ${status}` };
}
