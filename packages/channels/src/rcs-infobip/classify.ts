/**
 * How a call ended, from its HTTP status and Infobip's own status of the message (Infobip, "Response status and error
 * codes"). Infobip documents no idempotency for `messageId`, so only what it certainly did not take is repeated; a
 * second message of the same id, if it is told apart at all, says that the first one may have gone out.
 */
import type { Outcome } from '@sealpost/protocol/carriage';
import type { HttpAnswer, HttpResult } from '../http-call.ts';
import { commonRefusal, reasonOf, withoutAnswer } from '../single-effect.ts';
import { type InfobipMessage, type InfobipStatus, parseInfobipError, parseSent } from './answer-schema.ts';

const BUSY_MS = 30_000;

/** Groups of a message that Infobip took, whatever became of it later. */
const TAKEN: ReadonlySet<string> = new Set(['ACCEPTED', 'PENDING', 'DELIVERED', 'EXPIRED']);

/** What it means that a message was turned away; a name that is not here makes it `permanent`. */
const MEANING: Readonly<Record<string, Exclude<Outcome['kind'], 'accepted' | 'security-stop'>>> = {
  REJECTED_SYSTEM_ERROR: 'retry-after',
  REJECTED_FLOODING_FILTER: 'retry-after',
  REJECTED_DUPLICATE_MESSAGE_ID: 'ambiguous',
  REJECTED_NOT_ENOUGH_CREDITS: 'auth-broken',
  REJECTED_INVALID_SENDER: 'auth-broken',
  REJECTED_SENDER: 'auth-broken',
  REJECTED_SOURCE: 'auth-broken',
  REJECTED_NETWORK: 'downgrade',
  REJECTED_ROUTE_NOT_AVAILABLE: 'downgrade',
  REJECTED_DESTINATION: 'downgrade',
  REJECTED_DESTINATION_NOT_REGISTERED: 'downgrade',
  REJECTED_PREFIX_MISSING: 'downgrade',
  UNDELIVERABLE_REJECTED_OPERATOR: 'downgrade',
  UNDELIVERABLE_NOT_DELIVERED: 'downgrade',
};

export function classifySent(result: HttpResult, messageId: string): Outcome {
  if (result.kind !== 'answered') return withoutAnswer(result);
  if (result.status !== 200) return classifyRefusal(result);
  const message = parseSent(result.body);
  return message?.messageId === messageId
    ? outcomeOf(message)
    : { kind: 'ambiguous', reason: '200 without our message' };
}

/** What an accepted call, or the log, says of one message. */
export function outcomeOf({ messageId, status }: InfobipMessage): Outcome {
  if (TAKEN.has(status.groupName)) return { kind: 'accepted', providerMessageId: messageId };
  return turnedAway(status);
}

function turnedAway({ groupName, name }: InfobipStatus): Outcome {
  const reason = reasonOf(groupName, name);
  const kind = Object.hasOwn(MEANING, name) ? (MEANING[name] ?? 'permanent') : 'permanent';
  return kind === 'retry-after' ? { kind, afterMs: BUSY_MS, reason } : { kind, reason };
}

export function classifyRefusal(answer: HttpAnswer): Outcome {
  const reason = reasonOf(answer.status, parseInfobipError(answer.body));
  const common = commonRefusal(answer, reason);
  if (common !== undefined) return common;
  if (answer.status === 401 || answer.status === 403) return { kind: 'auth-broken', reason };
  return { kind: 'permanent', reason };
}
