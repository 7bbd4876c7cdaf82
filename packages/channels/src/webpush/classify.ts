/**
 * What a push service's answer means (RFC 8030 sections 5 and 8, RFC 8292 section 4.2). A topic only replaces what still
 * waits, so a repeat may be shown twice, and what an answer leaves open stays open.
 */
import type { Outcome } from '@sealpost/protocol/carriage';
import type { HttpResult } from '../http-call.ts';
import { commonOutcome, withoutAnswer } from '../single-effect.ts';

/** `name` is what the push service knows the message by. */
export function classifyPush(result: HttpResult, name: string): Outcome {
  if (result.kind !== 'answered') return withoutAnswer(result);
  const { status } = result;
  const reason = String(status);
  const common = commonOutcome(result, reason);
  if (common !== undefined) return common;
  // RFC 8030 asks for 201; 200 and 202 are what some push services say instead.
  if (status === 200 || status === 201 || status === 202) return { kind: 'accepted', providerMessageId: name };
  if (status === 401 || status === 403) return { kind: 'auth-broken', reason };
  // The subscription has ended (RFC 8030 section 7.3).
  if (status === 404 || status === 410) return { kind: 'downgrade', reason };
  if (status >= 400) return { kind: 'permanent', reason };
  return { kind: 'ambiguous', reason };
}
