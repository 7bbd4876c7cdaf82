/**
 * What Apple's answers mean (Apple, "Integration", "Response Codes"). That a repeat under the same id is ignored is published
 * nowhere, so only what was certainly not taken may be tried again. The answer names nothing: the id is the one we gave.
 */
import type { Outcome } from '@sealpost/protocol/carriage';
import type { HttpResult } from '../http-call.ts';
import { commonRefusal, withoutAnswer } from '../single-effect.ts';

export function classifySent(result: HttpResult, id: string): Outcome {
  if (result.kind !== 'answered') return withoutAnswer(result);
  const { status, body } = result;
  const reason = String(status);
  // Apple's answer has no form beyond its status; a page is some other server's.
  if (status === 200 && !body.trimStart().startsWith('<')) return { kind: 'accepted', providerMessageId: id };
  const common = commonRefusal(result, reason);
  if (common !== undefined) return common;
  if (status === 401 || status === 403) return { kind: 'auth-broken', reason };
  // The conversation is not there, or not any more.
  if (status === 404 || status === 410) return { kind: 'downgrade', reason };
  return status >= 400 ? { kind: 'permanent', reason } : { kind: 'ambiguous', reason };
}
