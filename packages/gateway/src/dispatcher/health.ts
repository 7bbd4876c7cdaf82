/** Circuits of vendors, one row each, shared by all dispatchers; a vendor that works has none. */
import type { Database, Sql } from '@sealpost/platform';
import type { Timestamp } from '@sealpost/protocol';
import { type Circuit, circuitOf, type Health, healthAfter, PROBE_MS, type Sign } from './circuit.ts';

const HEALTH = 'SELECT failures, opened, until FROM vendor_health WHERE vendor = $1';
/** Whoever moves `until` has the probe; everyone else finds the circuit open again. */
const PROBE = `
UPDATE vendor_health SET until = $3 WHERE vendor = $1 AND opened IS NOT NULL AND until <= $2 RETURNING 1 AS one`;
const ENSURE = 'INSERT INTO vendor_health (vendor) VALUES ($1) ON CONFLICT DO NOTHING';
const LOCK = 'SELECT failures, opened, until FROM vendor_health WHERE vendor = $1 FOR UPDATE';
const SET = 'UPDATE vendor_health SET failures = $2, opened = $3, until = $4 WHERE vendor = $1';
const FORGET = 'DELETE FROM vendor_health WHERE vendor = $1';

export interface Admission {
  readonly circuit: Circuit;
  /** Failures were counted that have not been followed by a success. */
  readonly failing: boolean;
  /** This call is the one that finds out. */
  readonly probe: boolean;
}

/** Whether a call may be made now; a due probe is taken by asking. */
export async function admit(sql: Sql, vendor: string, now: Timestamp): Promise<Admission> {
  const [health] = await sql.query<Health>('dispatch-health', HEALTH, [vendor]);
  const circuit = circuitOf(health, now);
  const failing = health !== undefined;
  if (circuit.kind !== 'probe-due') return { circuit, failing, probe: false };
  const taken = await sql.query('dispatch-probe', PROBE, [vendor, now, now + PROBE_MS]);
  if (taken.length === 1) return { circuit, failing, probe: true };
  return { circuit: { kind: 'open', afterMs: PROBE_MS }, failing, probe: false };
}

/** Counts what a call has told of the vendor. One that works and was not failing costs nothing. */
export async function observe(
  database: Pick<Database, 'transaction'>,
  vendor: string,
  sign: Sign,
  { probe, failing, now }: Pick<Admission, 'probe' | 'failing'> & { readonly now: Timestamp },
): Promise<void> {
  if (sign === 'neither' || (sign === 'working' && !failing)) return;
  await database.transaction(async (tx) => {
    if (sign === 'failing') await tx.query('dispatch-health-ensure', ENSURE, [vendor]);
    const [before] = await tx.query<Health>('dispatch-health-lock', LOCK, [vendor]);
    const after = healthAfter(before, sign, { probe, now });
    if (after === undefined) await tx.query('dispatch-health-forget', FORGET, [vendor]);
    else await tx.query('dispatch-health-set', SET, [vendor, after.failures, after.opened, after.until]);
  });
}
