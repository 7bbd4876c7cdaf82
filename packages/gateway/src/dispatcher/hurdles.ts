/**
 * What can still keep a try from being made once everything about it is in order: the kill switch, the vendor's circuit, the
 * person's reachability, rates. Each says so by an outcome that certainly had no effect, so routing may choose again.
 */
import type { Reach } from '@sealpost/channels';
import type { Database, Sql } from '@sealpost/platform';
import type { Timestamp } from '@sealpost/protocol';
import type { Outcome } from '@sealpost/protocol/carriage';
import type { Attempt } from './claim-schema.ts';
import { type Admission, admit } from './health.ts';
import { takeRates } from './rates.ts';
import { knownReach, noteReach } from './reachability.ts';
import type { Vendor } from './vendor.ts';

const CLOSED = 'SELECT 1 AS one FROM vendor_closed WHERE vendor = $1';
/** The operator opens it when they do; the gateway asks the switch itself before it chooses. */
const LOOK_AGAIN_MS = 5_000;

/** A try on its way to the provider. */
export interface Departure {
  readonly attempt: Attempt;
  readonly vendor: Vendor;
  readonly address: string;
  readonly database: Pick<Database, 'query' | 'transaction'>;
  readonly now: () => Timestamp;
  readonly failed: (what: 'adapter', attempt: Attempt, cause: unknown) => void;
}

export type Clearance =
  | { readonly kind: 'cleared'; readonly admission: Admission }
  | { readonly kind: 'kept'; readonly outcome: Outcome };

/**
 * The switch is asked before the first call and again right before the last. Rates come after everything that could keep
 * the try for another reason, so that what was not sent is not counted.
 */
export async function clear(departure: Departure): Promise<Clearance> {
  const closed = await keptByTheSwitch(departure);
  if (closed !== undefined) return kept(closed);
  const { attempt, database, now } = departure;
  const admission = await admit(database, attempt.vendor, now());
  if (admission.circuit.kind === 'open')
    return kept({ kind: 'retry-after', afterMs: admission.circuit.afterMs, reason: 'circuit-open' });
  const outcome =
    (await keptByReach(departure)) ?? (await keptByRates(departure)) ?? (await keptByTheSwitch(departure));
  return outcome === undefined ? { kind: 'cleared', admission } : kept(outcome);
}

const kept = (outcome: Outcome): Clearance => ({ kind: 'kept', outcome });

/** Whether an operator has closed this vendor to everything. */
export async function isClosed(sql: Sql, vendor: string): Promise<boolean> {
  return (await sql.query('dispatch-closed', CLOSED, [vendor])).length > 0;
}

async function keptByTheSwitch({ attempt, database }: Departure): Promise<Outcome | undefined> {
  if (!(await isClosed(database, attempt.vendor))) return undefined;
  return { kind: 'retry-after', afterMs: LOOK_AGAIN_MS, reason: 'vendor-closed' };
}

/** Asks the provider where it can be asked and has not lately answered; what it cannot say decides nothing. */
async function keptByReach(departure: Departure): Promise<Outcome | undefined> {
  const { attempt, vendor, database, now } = departure;
  if (vendor.adapter.lookup === undefined || attempt.recipient === '') return undefined;
  const known = await knownReach(database, attempt, now());
  if (known?.fresh === true) return known.reachable ? undefined : { kind: 'downgrade', reason: 'no-capability' };
  const reach = await lookUp(departure);
  await noteReach(database, attempt, reach, now());
  if (reach.kind !== 'unreachable') return undefined;
  return { kind: 'downgrade', reason: known?.reachable === true ? 'capability-lost' : 'no-capability' };
}

async function lookUp({ attempt, vendor, address, failed }: Departure): Promise<Reach> {
  const unknown: Reach = { kind: 'unknown', reason: 'adapter-failed' };
  try {
    return (await vendor.adapter.lookup?.(address)) ?? unknown;
  } catch (cause) {
    failed('adapter', attempt, cause);
    return unknown;
  }
}

async function keptByRates({ attempt, database, now }: Departure): Promise<Outcome | undefined> {
  const wait = await takeRates(database, attempt.limits, now());
  return wait === undefined ? undefined : { kind: 'retry-after', afterMs: wait, reason: 'rate-limited' };
}
