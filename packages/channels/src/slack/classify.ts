/**
 * How a method ended. Slack answers most failures with HTTP 200 and `ok: false`, and the code decides (Slack, "Methods",
 * "Errors" of chat.postMessage, chat.delete and the file methods). There is no idempotency key, so only what was certainly
 * not taken may be repeated.
 */
import type { Outcome, RevokeResult } from '@sealpost/protocol/carriage';
import type { HttpResult } from '../http-call.ts';
import { commonOutcome, reasonOf, withoutAnswer } from '../single-effect.ts';
import { parseVerdict } from './answer-schema.ts';

const BUSY_MS = 30_000;

/** A code that is not here makes a refusal `permanent`. */
const MEANING: Readonly<Record<string, 'auth-broken' | 'downgrade' | 'retry-after' | 'ambiguous'>> = {
  invalid_auth: 'auth-broken',
  not_authed: 'auth-broken',
  token_revoked: 'auth-broken',
  token_expired: 'auth-broken',
  account_inactive: 'auth-broken',
  missing_scope: 'auth-broken',
  no_permission: 'auth-broken',
  not_allowed_token_type: 'auth-broken',
  org_login_required: 'auth-broken',
  ekm_access_denied: 'auth-broken',
  team_access_not_granted: 'auth-broken',
  access_denied: 'auth-broken',
  channel_not_found: 'downgrade',
  not_in_channel: 'downgrade',
  is_archived: 'downgrade',
  restricted_action: 'downgrade',
  user_not_found: 'downgrade',
  users_not_found: 'downgrade',
  user_disabled: 'downgrade',
  user_not_visible: 'downgrade',
  cannot_dm_bot: 'downgrade',
  messages_tab_disabled: 'downgrade',
  ratelimited: 'retry-after',
  rate_limited: 'retry-after',
  message_limit_exceeded: 'retry-after',
  /** Slack failed, and does not say at which step. */
  internal_error: 'ambiguous',
  fatal_error: 'ambiguous',
  service_unavailable: 'ambiguous',
  request_timeout: 'ambiguous',
};

export type Step<T> = { readonly kind: 'done'; readonly value: T } | Outcome;

/** A method that shows something to a person: what its answer leaves open stays open. */
export function classifyEffect<T>(result: HttpResult, parse: (body: string) => T | undefined): Step<T> {
  if (result.kind !== 'answered') return withoutAnswer(result);
  const verdict = parseVerdict(result.body);
  const reason = reasonOf(result.status, verdict?.ok === false ? verdict.error : undefined);
  const common = commonOutcome(result, reason);
  if (common !== undefined) return common;
  if (verdict === undefined) return unreadable(result.status);
  if (verdict.ok) {
    const value = parse(result.body);
    return value === undefined ? { kind: 'ambiguous', reason: 'ok without a message' } : { kind: 'done', value };
  }
  const kind = Object.hasOwn(MEANING, verdict.error) ? MEANING[verdict.error] : undefined;
  if (kind === 'retry-after') return { kind, afterMs: result.retryAfterMs ?? BUSY_MS, reason };
  return { kind: kind ?? 'permanent', reason };
}

/** A method that only prepares: whatever it leaves open may be tried again. */
export function classifyPreparation<T>(result: HttpResult, parse: (body: string) => T | undefined): Step<T> {
  const step = classifyEffect(result, parse);
  return step.kind === 'ambiguous' ? { kind: 'retry-after', afterMs: BUSY_MS, reason: step.reason } : step;
}

function unreadable(status: number): Outcome {
  if (status === 401 || status === 403) return { kind: 'auth-broken', reason: String(status) };
  if (status >= 400) return { kind: 'permanent', reason: String(status) };
  return { kind: 'ambiguous', reason: `${status} without a verdict` };
}

/** The message or file is gone, or was never there. */
const GONE: ReadonlySet<string> = new Set(['message_not_found', 'file_not_found', 'file_deleted', 'channel_not_found']);

export function classifyDeleted(result: HttpResult): RevokeResult {
  if (result.kind !== 'answered')
    return result.kind === 'unsent'
      ? { kind: 'retry-after', afterMs: BUSY_MS, reason: `connection ${result.code}` }
      : { kind: 'unknown', reason: `no answer ${result.code}` };
  const verdict = parseVerdict(result.body);
  const error = verdict?.ok === false ? verdict.error : undefined;
  const reason = reasonOf(result.status, error);
  if (result.status === 429 || error === 'ratelimited')
    return { kind: 'retry-after', afterMs: result.retryAfterMs ?? BUSY_MS, reason };
  if (verdict?.ok === true) return { kind: 'revoked' };
  return error !== undefined && GONE.has(error) ? { kind: 'too-late', reason } : { kind: 'unknown', reason };
}
