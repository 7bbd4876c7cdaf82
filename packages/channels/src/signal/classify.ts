/**
 * What the two servers' answers mean (signal-cli: SignalJsonRpcCommandHandler, JsonSendMessageResult; signal-cli-rest-api,
 * "Swagger"). Signal has no idempotency key: a repeat is a second message, so only what was certainly not taken may be
 * tried again. A changed safety number stops everything, since somebody else may hold the phone.
 */
import type { Outcome, RevokeResult } from '@sealpost/protocol/carriage';
import type { Reach } from '../adapter.ts';
import type { HttpResult } from '../http-call.ts';
import { commonOutcome, reasonOf, withoutAnswer } from '../single-effect.ts';
import { isChallenged, parseRestSent, parseRpcSent, type SendResult } from './answer-schema.ts';

const LIMITED_MS = 60_000;

/** Of one recipient. A type that is not here leaves it open. */
const BY_TYPE: Readonly<Record<string, 'ambiguous' | 'downgrade' | 'security-stop'>> = {
  /** The message may have reached some of the person's devices. */
  NETWORK_FAILURE: 'ambiguous',
  UNREGISTERED_FAILURE: 'downgrade',
  IDENTITY_FAILURE: 'security-stop',
};

/** Of a call, where it says nothing of the recipient. A code that is not here leaves it open. */
const BY_CODE: Readonly<Record<number, Exclude<Outcome['kind'], 'accepted' | 'retry-after'>>> = {
  [-1]: 'permanent',
  [-4]: 'security-stop',
  /** A captcha was asked for and the answer refused. */
  [-6]: 'auth-broken',
  /** JSON-RPC 2.0, section 5.1; signal-cli says invalid parameters of an account it does not have. */
  [-32600]: 'permanent',
  [-32601]: 'permanent',
  [-32602]: 'auth-broken',
};
const RATE_LIMITED = -5;

export function classifyRpc(result: HttpResult): Outcome {
  const plain = beforeTheAnswer(result);
  if ('kind' in plain) return plain;
  const said = parseRpcSent(plain.body);
  if (said === undefined) return { kind: 'ambiguous', reason: '200 without our message' };
  const reason = reasonOf('signal-cli', said.code, said.result?.type);
  if (said.result?.type === 'SUCCESS' && said.timestamp !== undefined)
    return { kind: 'accepted', providerMessageId: String(said.timestamp) };
  if (said.result?.type === 'RATE_LIMIT_FAILURE' || said.code === RATE_LIMITED) return limited(said.result, reason);
  const kind = said.result === undefined ? BY_CODE[said.code ?? 0] : BY_TYPE[said.result.type];
  return { kind: kind ?? 'ambiguous', reason };
}

/** A captcha is solved by a person; until then every try is refused. */
function limited(result: SendResult | undefined, reason: string): Outcome {
  if (typeof result?.token === 'string') return { kind: 'auth-broken', reason };
  const seconds = result?.retryAfterSeconds;
  return { kind: 'retry-after', afterMs: seconds ? Math.min(seconds, 86_400) * 1000 : LIMITED_MS, reason };
}

/**
 * signal-cli-rest-api answers 400 for everything that went wrong, before or after Signal had the message, and tells which
 * only in words: a 400 leaves it open. Whom Signal does not know is found by `lookup`.
 */
export function classifyRest(result: HttpResult): Outcome {
  if (result.kind === 'answered' && result.status === 429 && isChallenged(result.body))
    return { kind: 'auth-broken', reason: '429 captcha' };
  if (result.kind === 'answered' && result.status === 400) return { kind: 'ambiguous', reason: '400' };
  const plain = beforeTheAnswer(result);
  if ('kind' in plain) return plain;
  const timestamp = parseRestSent(plain.body);
  return timestamp === undefined
    ? { kind: 'ambiguous', reason: '201 without our message' }
    : { kind: 'accepted', providerMessageId: timestamp };
}

/** What needs no reading of the body. */
function beforeTheAnswer(result: HttpResult): Outcome | { readonly body: string } {
  if (result.kind !== 'answered') return withoutAnswer(result);
  const { status, body } = result;
  const reason = String(status);
  const common = commonOutcome(result, reason);
  if (common !== undefined) return common;
  // Both ask for nothing; a proxy before them may.
  if (status === 401 || status === 403) return { kind: 'auth-broken', reason };
  if (status >= 400) return { kind: 'permanent', reason };
  return status === 200 || status === 201 ? { body } : { kind: 'ambiguous', reason };
}

/** Deleting is a message of its own, which ends as any other does; deleting twice changes nothing. */
export function revocationOf(outcome: Outcome): RevokeResult {
  if (outcome.kind === 'accepted') return { kind: 'revoked' };
  return outcome.kind === 'retry-after' ? outcome : { kind: 'unknown', reason: outcome.reason };
}

export function classifyReach(result: HttpResult, parse: (body: string) => boolean | undefined): Reach {
  if (result.kind !== 'answered') return { kind: 'unknown', reason: result.code };
  const registered = result.status === 200 ? parse(result.body) : undefined;
  if (registered === undefined) return { kind: 'unknown', reason: String(result.status) };
  return registered ? { kind: 'reachable', features: [] } : { kind: 'unreachable', reason: 'not on Signal' };
}
