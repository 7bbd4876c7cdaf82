/**
 * The dispatcher's loop: claims as many attempts as there are places free, tries them side by side, keeps their leases,
 * and reports each until the report is stored. What was never reported is claimed again as interrupted.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { DispatchKey } from '@sealpost/crypto/dispatch';
import type { Database, Logger, Surroundings } from '@sealpost/platform';
import { SealpostError, type Timestamp } from '@sealpost/protocol';
import type { Report } from '@sealpost/protocol/carriage';
import { type Bus, POLL_MS } from '../platform/bus.ts';
import type { Claimed, Lease } from './claim-schema.ts';
import { claimAttempts, LEASE_MS, nextDue, renewLeases, reportOutcome } from './claims.ts';
import { reached } from './points.ts';
import { perform } from './task.ts';
import type { TaskDeps } from './try.ts';
import type { Vendor } from './vendor.ts';

const RENEW_EVERY = LEASE_MS / 3;
/** Longer than any adapter lets a provider take; then the lease is let go, whatever it hangs on. */
const LONGEST_TRY = 600_000;
const LEAST_WAIT = 10;

export interface LoopDeps {
  readonly concurrency: number;
  readonly vendors: ReadonlyMap<string, Vendor>;
  readonly key: DispatchKey;
  readonly database: Database;
  readonly bus: Bus;
  readonly logger: Logger;
  readonly surroundings: Surroundings;
}

interface Place {
  readonly lease: Lease;
  readonly since: Timestamp;
  readonly task: Promise<void>;
}

export function startAttemptLoop(deps: LoopDeps): { stop(): Promise<void> } {
  const { concurrency, vendors, key, database, bus, logger, surroundings } = deps;
  const owner = surroundings.uuid();
  const stopping = new AbortController();
  const places = new Set<Place>();

  const failed: TaskDeps['failed'] = (what, { id, vendor }, cause) =>
    what === 'adapter'
      ? logger.error('adapter broke its contract', { vendor, attempt: id, cause })
      : logger.warn('database away', { vendor, attempt: id, code: codeOf(cause) });
  const tasks: TaskDeps = { vendors, key, database, now: surroundings.now, failed };

  /** A try's outcome is known only here: it is offered until it is stored, another has taken over, or we stop. */
  const report = async (lease: Lease, outcome: Report, since: Timestamp): Promise<void> => {
    for (;;) {
      try {
        const counted = await reportOutcome(database, lease, outcome, surroundings.now());
        reached('attempt.reported');
        if (!counted) logger.warn('report not counted', { attempt: lease.id, state: outcome.kind });
        return bus.hint('outcome');
      } catch (cause) {
        if (stopping.signal.aborted || surroundings.now() - since > LONGEST_TRY) {
          logger.warn('attempt not reported', { attempt: lease.id, state: outcome.kind, code: codeOf(cause) });
          return;
        }
        await paused(POLL_MS, stopping.signal);
      }
    }
  };

  const begin = (claimed: Claimed) => {
    const since = surroundings.now();
    const work = async () => {
      const outcome = await perform(claimed, tasks);
      reached('attempt.answered');
      await report(claimed.lease, outcome, since);
    };
    // A bug, and nothing is known of the try: its lease runs out, and whoever claims it next finds it interrupted.
    const broken = (cause: unknown) => logger.error('attempt broke off', { attempt: claimed.lease.id, cause });
    const task = work()
      .catch(broken)
      .finally(() => places.delete(place));
    const place: Place = { lease: claimed.lease, since, task };
    places.add(place);
  };

  const claim = async (): Promise<number> => {
    const free = concurrency - places.size;
    if (free <= 0) return POLL_MS;
    const claimed = await claimAttempts(database, owner, free, surroundings.now());
    if (claimed.length > 0) reached('attempt.claimed');
    for (const each of claimed) begin(each);
    if (places.size >= concurrency) return POLL_MS;
    const due = await nextDue(database);
    return due === undefined ? POLL_MS : Math.min(POLL_MS, Math.max(LEAST_WAIT, due - surroundings.now()));
  };

  const renew = async () => {
    const now = surroundings.now();
    const young = [...places].filter(({ since }) => now - since <= LONGEST_TRY);
    await renewLeases(
      database,
      young.map(({ lease }) => lease),
      now,
    );
  };

  const run = async () => {
    while (!stopping.signal.aborted) {
      const woken = new AbortController();
      const off = bus.on('attempt', () => woken.abort());
      const wait = await claim().catch((cause: unknown) => {
        logger.warn('claiming failed', { code: codeOf(cause) });
        return POLL_MS;
      });
      const ends = [...places].map(({ task }) => task);
      await Promise.race([paused(wait, AbortSignal.any([stopping.signal, woken.signal])), ...ends]);
      off();
    }
  };

  const renewing = setInterval(() => void renew().catch(() => undefined), RENEW_EVERY);
  const loop = run();
  return {
    /** Takes nothing new, waits for what is under way, and for each report once more. */
    async stop() {
      stopping.abort();
      await loop;
      await Promise.all([...places].map(({ task }) => task));
      clearInterval(renewing);
    },
  };
}

async function paused(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}

/** A code or the class of the error, never its text. */
function codeOf(cause: unknown): string {
  if (cause instanceof SealpostError) return cause.code;
  if (typeof cause === 'object' && cause !== null && 'code' in cause && typeof cause.code === 'string')
    return cause.code;
  return cause instanceof Error ? cause.name : 'unknown';
}
