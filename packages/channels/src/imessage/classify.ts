/**
 * What BlueBubbles' answers mean (BlueBubbles REST API, "Responses"). It drives an application and learns what became of a
 * message by watching: a failure it reports may have had its effect. While a message is queued, a second one under its
 * `tempGuid` is refused with 400, which once forgotten it is not; so nothing is repeated on its word.
 */
import type { Outcome } from '@sealpost/protocol/carriage';
import type { Reach } from '../adapter.ts';
import type { HttpResult } from '../http-call.ts';
import { commonOutcome, withoutAnswer } from '../single-effect.ts';
import { parseAvailable, parseSent } from './answer-schema.ts';

export function classifySent(result: HttpResult): Outcome {
  if (result.kind !== 'answered') return withoutAnswer(result);
  const { status, body } = result;
  const reason = String(status);
  const common = commonOutcome(result, reason);
  if (common !== undefined) return common;
  if (status === 401 || status === 403) return { kind: 'auth-broken', reason };
  // Also what a repeat gets whose first try is still queued: only that first try could tell.
  if (status === 400) return { kind: 'ambiguous', reason };
  if (status === 404) return { kind: 'downgrade', reason };
  if (status >= 400) return { kind: 'permanent', reason };
  const guid = status === 200 ? parseSent(body) : undefined;
  return guid === undefined
    ? { kind: 'ambiguous', reason: `${status} without a message` }
    : { kind: 'accepted', providerMessageId: guid };
}

export function classifyAvailable(result: HttpResult): Reach {
  if (result.kind !== 'answered') return { kind: 'unknown', reason: result.code };
  const available = result.status === 200 ? parseAvailable(result.body) : undefined;
  if (available === undefined) return { kind: 'unknown', reason: String(result.status) };
  return available ? { kind: 'reachable', features: [] } : { kind: 'unreachable', reason: 'no iMessage' };
}
