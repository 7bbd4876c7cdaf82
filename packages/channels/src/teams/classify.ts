/**
 * How a call to the Bot Connector or a workflow ended (Microsoft, "Conversational bots: status code responses", "Optimize
 * your bot with rate limiting"). There is no idempotency key. Microsoft advises to repeat a 412, 502 and 504; a 412 says that
 * nothing was done, the other two say nothing, so they are ambiguous here.
 */
import type { Outcome, RevokeResult } from '@sealpost/protocol/carriage';
import type { HttpAnswer, HttpResult } from '../http-call.ts';
import type { CallOutcome } from '../oauth-token.ts';
import { commonOutcome, reasonOf, withoutAnswer } from '../single-effect.ts';
import { parseActivity, parseConversation, parseErrorCode } from './answer-schema.ts';

const BUSY_MS = 30_000;

/** By status where the code does not say more. The app is not there for this person, was blocked, or they left: 403 and 404. */
const BY_STATUS: Readonly<Record<number, 'downgrade' | 'permanent' | 'auth-broken'>> = {
  400: 'permanent',
  403: 'downgrade',
  404: 'downgrade',
  413: 'permanent',
};
const BY_CODE: Readonly<Record<string, 'downgrade' | 'permanent' | 'auth-broken'>> = {
  /** No bot of this app id is registered for Teams. */
  BotNotRegistered: 'auth-broken',
  /** The endpoint belongs to another cloud. */
  InvalidBotApiHost: 'auth-broken',
  /** The tenant's administrator took the bot away from everybody. */
  BotDisabledByAdmin: 'auth-broken',
  MessageSizeTooBig: 'permanent',
};

export type Step = { readonly kind: 'done'; readonly value: string } | CallOutcome;

/** The message itself: what its answer leaves open stays open. */
export function classifyPosted(result: HttpResult): Step {
  return classify(result, parseActivity);
}

/** Naming the conversation with a person shows nothing, and the same one is named each time. */
export function classifyConversation(result: HttpResult): Step {
  const step = classify(result, parseConversation);
  return step.kind === 'ambiguous' ? { kind: 'retry-after', afterMs: BUSY_MS, reason: step.reason } : step;
}

function classify(result: HttpResult, parse: (body: string) => string | undefined): Step {
  if (result.kind !== 'answered') return withoutAnswer(result);
  const { status, body } = result;
  if (status === 401) return { kind: 'unauthorized' };
  if (status >= 200 && status < 300) {
    const value = parse(body);
    return value === undefined ? { kind: 'ambiguous', reason: `${status} without an id` } : { kind: 'done', value };
  }
  return refusalOf(result, parseErrorCode(body));
}

/** A workflow answers 202 and names nothing. 401 and 403 say that the URL's signature no longer holds, 404 that it is gone. */
export function classifyWorkflow(result: HttpResult, providerMessageId: string): Outcome {
  if (result.kind !== 'answered') return withoutAnswer(result);
  const { status, body } = result;
  // Its success has no form beyond its status; a page is some other server's.
  if ((status === 200 || status === 202) && !body.trimStart().startsWith('<'))
    return { kind: 'accepted', providerMessageId };
  if (status === 401 || status === 403 || status === 404) return { kind: 'auth-broken', reason: String(status) };
  return refusalOf(result, undefined);
}

function refusalOf(answer: HttpAnswer, code: string | undefined): Outcome {
  const reason = reasonOf(answer.status, code);
  const common = commonOutcome(answer, reason);
  if (common !== undefined) return common;
  if (answer.status === 412) return { kind: 'retry-after', afterMs: answer.retryAfterMs ?? BUSY_MS, reason };
  const byCode = code !== undefined && Object.hasOwn(BY_CODE, code) ? BY_CODE[code] : undefined;
  const kind = byCode ?? BY_STATUS[answer.status];
  if (kind !== undefined) return { kind, reason };
  return answer.status >= 400 ? { kind: 'permanent', reason } : { kind: 'ambiguous', reason };
}

export function classifyDeleted(result: HttpResult): RevokeResult | { readonly kind: 'unauthorized' } {
  if (result.kind !== 'answered')
    return result.kind === 'unsent'
      ? { kind: 'retry-after', afterMs: BUSY_MS, reason: `connection ${result.code}` }
      : { kind: 'unknown', reason: `no answer ${result.code}` };
  const { status, retryAfterMs } = result;
  const reason = reasonOf(status, parseErrorCode(result.body));
  if (status >= 200 && status < 300) return { kind: 'revoked' };
  if (status === 401) return { kind: 'unauthorized' };
  if (status === 429 || status === 412) return { kind: 'retry-after', afterMs: retryAfterMs ?? BUSY_MS, reason };
  return status === 404 ? { kind: 'too-late', reason } : { kind: 'unknown', reason };
}
