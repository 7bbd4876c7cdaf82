/**
 * How `SendRcsMessage` ended, from its HTTP status, its exception and the exception's reason (API reference,
 * "SendRcsMessage", "Errors"; "Common error types"). There is no idempotency token in the request, so only what was
 * certainly not taken may be repeated.
 */
import type { Outcome } from '@sealpost/protocol/carriage';
import type { HttpResult } from '../http-call.ts';
import { commonRefusal, reasonOf, withoutAnswer } from '../single-effect.ts';
import { parseAwsError, parseSentId } from './answer-schema.ts';

const BUSY_MS = 30_000;

type Meaning = 'auth-broken' | 'downgrade' | 'permanent' | 'retry-after';

/** Exceptions; one that is not here makes a refusal `permanent`. */
const MEANING: Readonly<Record<string, Meaning>> = {
  ThrottlingException: 'retry-after',
  ThrottledException: 'retry-after',
  RequestThrottled: 'retry-after',
  ServiceQuotaExceededException: 'retry-after',
  AccessDeniedException: 'auth-broken',
  UnrecognizedClientException: 'auth-broken',
  InvalidSignatureException: 'auth-broken',
  IncompleteSignature: 'auth-broken',
  InvalidClientTokenId: 'auth-broken',
  MissingAuthenticationToken: 'auth-broken',
  ExpiredTokenException: 'auth-broken',
  NotAuthorized: 'auth-broken',
  OptInRequired: 'auth-broken',
  RequestExpired: 'auth-broken',
  /** The agent or the configuration set is not there: the settings are wrong, not the message. */
  ResourceNotFoundException: 'auth-broken',
  /** A resource is not in the state to send: the agent is not launched, for example. */
  ConflictException: 'auth-broken',
};

/** Reasons that are about this person, whatever the exception they come with. */
const REASONS: Readonly<Record<string, Meaning>> = {
  DESTINATION_PHONE_NUMBER_OPTED_OUT: 'permanent',
  DESTINATION_PHONE_NUMBER_NOT_VERIFIED: 'downgrade',
  DESTINATION_COUNTRY_BLOCKED: 'downgrade',
  DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION: 'downgrade',
  DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE: 'downgrade',
  INVALID_IDENTITY_FOR_DESTINATION_COUNTRY: 'downgrade',
  CANNOT_ADD_OPTED_OUT_NUMBER: 'permanent',
};

export function classifySent(result: HttpResult): Outcome {
  if (result.kind !== 'answered') return withoutAnswer(result);
  if (result.status === 200) {
    const id = parseSentId(result.body);
    if (id === undefined) return { kind: 'ambiguous', reason: '200 without a message' };
    return { kind: 'accepted', providerMessageId: id };
  }
  const error = parseAwsError(result.body);
  const reason = reasonOf(result.status, error.type, error.reason);
  const common = commonRefusal(result, reason);
  if (common !== undefined) return common;
  const kind = of(REASONS, error.reason) ?? of(MEANING, error.type) ?? byStatus(result.status);
  return kind === 'retry-after' ? { kind, afterMs: result.retryAfterMs ?? BUSY_MS, reason } : { kind, reason };
}

function of(table: Readonly<Record<string, Meaning>>, key: string | undefined): Meaning | undefined {
  return key !== undefined && Object.hasOwn(table, key) ? table[key] : undefined;
}

function byStatus(status: number): Meaning {
  return status === 401 || status === 403 || status === 404 ? 'auth-broken' : 'permanent';
}
