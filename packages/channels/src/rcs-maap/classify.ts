/**
 * How a call to a MaaP ended, by its HTTP status alone: FNW.11 leaves error codes to operators. Nothing in it makes a
 * repeat harmless, so only what was certainly not taken may be repeated.
 */
import type { Outcome, RevokeResult } from '@sealpost/protocol/carriage';
import type { Reach } from '../adapter.ts';
import type { HttpResult } from '../http-call.ts';
import { commonRefusal, reasonOf, withoutAnswer } from '../single-effect.ts';
import { parseCapabilities, parseErrorCode, parseMessage } from './answer-schema.ts';

const BUSY_MS = 30_000;

/** What a phone must be able to do to be shown a chatbot's messages. */
const NEEDED = 'chatBotCommunication';

export function classifySent(result: HttpResult): Outcome {
  if (result.kind !== 'answered') return withoutAnswer(result);
  if (result.status === 200 || result.status === 202) {
    const message = parseMessage(result.body);
    if (message === undefined) return { kind: 'ambiguous', reason: `${result.status} without a message` };
    return message.status === 'failed'
      ? { kind: 'downgrade', reason: reasonOf(result.status, 'failed') }
      : { kind: 'accepted', providerMessageId: message.msgId };
  }
  const reason = reasonOf(result.status, parseErrorCode(result.body));
  const common = commonRefusal(result, reason);
  if (common !== undefined) return common;
  switch (result.status) {
    case 401:
    case 403:
      return { kind: 'auth-broken', reason };
    /** The contact is unknown or not capable of RCS. */
    case 404:
      return { kind: 'downgrade', reason };
    default:
      return { kind: 'permanent', reason };
  }
}

export function classifyReach(result: HttpResult): Reach {
  if (result.kind !== 'answered') return { kind: 'unknown', reason: result.code };
  if (result.status === 404) return { kind: 'unreachable', reason: '404' };
  const capabilities = result.status === 200 ? parseCapabilities(result.body) : undefined;
  if (capabilities === undefined) return { kind: 'unknown', reason: String(result.status) };
  return capabilities.includes(NEEDED)
    ? { kind: 'reachable', features: capabilities }
    : { kind: 'unreachable', reason: `no ${NEEDED}` };
}

export function classifyRevoked(result: HttpResult): RevokeResult {
  if (result.kind !== 'answered')
    return result.kind === 'unsent'
      ? { kind: 'retry-after', afterMs: BUSY_MS, reason: `connection ${result.code}` }
      : { kind: 'unknown', reason: `no answer ${result.code}` };
  if (result.status >= 200 && result.status < 300) return { kind: 'revoked' };
  const reason = reasonOf(result.status, parseErrorCode(result.body));
  if (result.status === 429) return { kind: 'retry-after', afterMs: result.retryAfterMs ?? BUSY_MS, reason };
  return [400, 404, 409, 410].includes(result.status) ? { kind: 'too-late', reason } : { kind: 'unknown', reason };
}
