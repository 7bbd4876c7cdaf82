/**
 * A vendor's circuit: pure. It opens after a run of failures that speak of the provider, lets one probe through when its
 * cool-down is over, and closes with the first sign of life; each failed probe makes the next wait longer, up to a bound.
 */
import type { Timestamp } from '@sealpost/protocol';
import type { OutcomeKind } from '@sealpost/protocol/carriage';

export const FAILURES_TO_OPEN = 5;
export const FIRST_COOL_DOWN = 5_000;
export const LONGEST_COOL_DOWN = 300_000;
/** How long a probe keeps the next one back: longer than most providers take to answer, short beside a lost dispatcher. */
export const PROBE_MS = 15_000;

/** What is stored of a vendor that has failed since it last worked. */
export interface Health {
  readonly failures: number;
  /** Since when the circuit is open; `null` while it is closed. */
  readonly opened: Timestamp | null;
  /** No call before this while it is open. */
  readonly until: Timestamp;
}

export type Circuit =
  | { readonly kind: 'closed' }
  | { readonly kind: 'open'; readonly afterMs: number }
  | { readonly kind: 'probe-due' };

/** What an outcome says of the provider itself. */
export type Sign = 'working' | 'failing' | 'neither';

/**
 * `permanent` and `security-stop` may come from this side of the call, so they say nothing. `downgrade` is an answer about
 * a person, and whoever gives one works.
 */
const SIGNS = {
  accepted: 'working',
  downgrade: 'working',
  'retry-after': 'failing',
  ambiguous: 'failing',
  'auth-broken': 'failing',
  permanent: 'neither',
  'security-stop': 'neither',
} as const satisfies Record<OutcomeKind, Sign>;

export function signOf(outcome: OutcomeKind): Sign {
  return SIGNS[outcome];
}

export function circuitOf(health: Health | undefined, now: Timestamp): Circuit {
  if (health === undefined || health.opened === null) return { kind: 'closed' };
  return health.until > now ? { kind: 'open', afterMs: health.until - now } : { kind: 'probe-due' };
}

/**
 * What is known after a call has ended; `undefined` when there is nothing to remember. A call made before the circuit opened
 * says nothing about an open one: only its probe does.
 */
export function healthAfter(
  before: Health | undefined,
  sign: Sign,
  { probe, now }: { readonly probe: boolean; readonly now: Timestamp },
): Health | undefined {
  const open = before !== undefined && before.opened !== null;
  if (sign === 'neither' || (open && !probe)) return before;
  if (sign === 'working') return undefined;
  const failures = (before?.failures ?? 0) + 1;
  if (failures < FAILURES_TO_OPEN) return { failures, opened: null, until: 0 };
  return { failures, opened: before?.opened ?? now, until: now + coolDown(failures - FAILURES_TO_OPEN) };
}

function coolDown(failedProbes: number): number {
  return Math.min(FIRST_COOL_DOWN * 2 ** failedProbes, LONGEST_COOL_DOWN);
}
