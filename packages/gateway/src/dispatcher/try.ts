/**
 * One try: open the carrier form, make sure it is what the attempt says and above the floor, pass the hurdles, hand it to
 * the adapter, say how it ended. The form exists in clear only here and only for this call.
 */
import { type DispatchKey, openCarrier } from '@sealpost/crypto/dispatch';
import type { Database } from '@sealpost/platform';
import { meetsFloor, type Timestamp } from '@sealpost/protocol';
import { type Carriage, type Outcome, PAYLOAD_OF } from '@sealpost/protocol/carriage';
import { signOf } from './circuit.ts';
import type { Attempt } from './claim-schema.ts';
import { type Admission, observe } from './health.ts';
import { type Clearance, clear } from './hurdles.ts';
import { noteReach } from './reachability.ts';
import type { Vendor } from './vendor.ts';

const DATABASE_AWAY_MS = 1_000;

export interface TaskDeps {
  readonly vendors: ReadonlyMap<string, Vendor>;
  readonly key: DispatchKey;
  readonly database: Pick<Database, 'query' | 'transaction'>;
  readonly now: () => Timestamp;
  /** Something was thrown that a contract says is not: by an adapter, or by the database in between. */
  readonly failed: (what: 'adapter' | 'database', attempt: Attempt, cause: unknown) => void;
}

export async function trySending(attempt: Attempt, deps: TaskDeps): Promise<Outcome> {
  const vendor = deps.vendors.get(attempt.vendor);
  const refusal = refusalOf(attempt, vendor, deps.now());
  const repeatable = vendor?.adapter.capabilities.idempotent === true && refusal === undefined;
  // What the earlier try did is unknown, and stays so unless the same try can be made again without a second effect.
  if (attempt.interrupted && !repeatable) return INTERRUPTED;
  if (refusal !== undefined || vendor === undefined) return { kind: 'permanent', reason: refusal ?? 'withdrawn' };
  const form = await openForm(attempt, deps.key);
  if (form.kind === 'refused') return { kind: 'permanent', reason: form.reason };
  const outcome = await sendIfCleared(attempt, vendor, form.carriage, deps);
  return attempt.interrupted ? ofBoth(outcome) : outcome;
}

const INTERRUPTED = { kind: 'ambiguous', reason: 'interrupted' } as const satisfies Outcome;

/** That this try was not taken says nothing of the one before it, which may have been: only a taking or an end counts. */
function ofBoth(outcome: Outcome): Outcome {
  return outcome.kind === 'accepted' || outcome.kind === 'permanent' || outcome.kind === 'security-stop'
    ? outcome
    : INTERRUPTED;
}

/** Why this try must not be made at all; `undefined` when it may. */
function refusalOf(attempt: Attempt, vendor: Vendor | undefined, now: Timestamp): string | undefined {
  if (attempt.part === undefined) return 'withdrawn';
  if (!meetsFloor(attempt.use, attempt.adapter, attempt.floor)) return 'ERR_ROUTING_BELOW_FLOOR';
  if (attempt.expires <= now) return 'expired';
  if (vendor === undefined) return 'vendor-not-configured';
  // The floor was asked for the adapter the bundle names; what is configured here must be that one.
  return vendor.name === attempt.adapter ? undefined : 'vendor-has-other-adapter';
}

type Form = { readonly kind: 'opened'; readonly carriage: Carriage } | { readonly kind: 'refused'; reason: string };

/** A form of another kind than the step's use is never sent: a notice's floor is none, and content would pass under it. */
async function openForm(attempt: Attempt, key: DispatchKey): Promise<Form> {
  if (attempt.part === undefined) return { kind: 'refused', reason: 'withdrawn' };
  const opened = await openCarrier(attempt.part, key, attempt);
  if (opened.kind === 'refused') return { kind: 'refused', reason: `form-${opened.reason}` };
  const { carriage } = opened;
  return carriage.payload.kind === PAYLOAD_OF[attempt.use]
    ? { kind: 'opened', carriage }
    : { kind: 'refused', reason: 'form-mismatch' };
}

async function sendIfCleared(
  attempt: Attempt,
  vendor: Vendor,
  { address, payload, expires }: Carriage,
  deps: TaskDeps,
): Promise<Outcome> {
  const clearance = await clearOrWait(attempt, vendor, address, deps);
  if (clearance.kind === 'kept') return clearance.outcome;
  const until = Math.min(expires, attempt.expires);
  // Hurdles take time; what has expired meanwhile must not go out with a life of nothing.
  if (until <= deps.now()) return { kind: 'permanent', reason: 'expired' };
  try {
    const outcome = await vendor.adapter.send({ id: attempt.id, address, payload, expires: until });
    await remember(attempt, outcome, clearance.admission, deps);
    return outcome;
  } catch (cause) {
    deps.failed('adapter', attempt, cause);
    return { kind: 'ambiguous', reason: 'adapter-failed' };
  }
}

/** What cannot be asked is not passed: without the database nobody knows whether the vendor is closed. */
async function clearOrWait(attempt: Attempt, vendor: Vendor, address: string, deps: TaskDeps): Promise<Clearance> {
  try {
    return await clear({ ...deps, attempt, vendor, address });
  } catch (cause) {
    deps.failed('database', attempt, cause);
    return { kind: 'kept', outcome: { kind: 'retry-after', afterMs: DATABASE_AWAY_MS, reason: 'database-away' } };
  }
}

/** What the answer tells beyond this try. That it cannot be stored must not cost the outcome. */
async function remember(
  attempt: Attempt,
  outcome: Outcome,
  { probe, failing }: Admission,
  { database, now, failed }: TaskDeps,
): Promise<void> {
  try {
    await observe(database, attempt.vendor, signOf(outcome.kind), { probe, failing, now: now() });
    if (outcome.kind === 'downgrade' && attempt.recipient !== '')
      await noteReach(database, attempt, { kind: 'unreachable', reason: outcome.reason }, now());
  } catch (cause) {
    failed('database', attempt, cause);
  }
}
