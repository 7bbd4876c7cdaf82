/**
 * The kill switch. Closing a vendor takes away, so it needs nothing but its own record and holds from its commit on;
 * opening one gives, so it waits for a healthy log (DESIGN section 8). Both are events.
 */
import type { Database, Sql, Surroundings } from '@sealpost/platform';
import { type Bundle, type gatewayApi, type VendorName, type VendorStates, vendorsOf } from '@sealpost/protocol';
import type { z } from 'zod';
import type { Bus } from '../../platform/bus.ts';
import { type Log, laneOf, logError } from '../log/index.ts';

const LANE_KEY = 'vendors';
const CLOSE =
  'INSERT INTO vendor_closed (vendor, by, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING 1 AS one';
const OPEN = 'DELETE FROM vendor_closed WHERE vendor = $1 RETURNING 1 AS one';
const CLOSED = 'SELECT vendor, at FROM vendor_closed';
const HEALTH = 'SELECT vendor, opened, until FROM vendor_health WHERE opened IS NOT NULL';

type Wish = z.output<typeof gatewayApi.vendorPutSchema>;

export interface VendorSwitch {
  /** Throws ERR_LOG_STALLED for opening while the log stalls. */
  set(vendor: VendorName, wish: Wish): Promise<'done' | 'already'>;
  /** Every vendor the ladders of the running bundle name. */
  states(): Promise<VendorStates>;
}

export interface VendorSwitchDeps {
  readonly database: Database;
  readonly log: Pick<Log, 'append' | 'healthy' | 'lockLane'>;
  readonly bus: Bus;
  readonly surroundings: Pick<Surroundings, 'now'>;
  readonly bundle: () => Bundle | undefined;
}

export function createVendorSwitch({ database, log, bus, surroundings, bundle }: VendorSwitchDeps): VendorSwitch {
  const turn = async (tx: Sql, vendor: VendorName, { open, by }: Wish): Promise<boolean> => {
    await log.lockLane(tx, laneOf(LANE_KEY));
    const at = surroundings.now();
    const changed = open
      ? await tx.query('routing-open', OPEN, [vendor])
      : await tx.query('routing-close', CLOSE, [vendor, by, at]);
    if (changed.length === 0) return false;
    await log.append(tx, [{ laneKey: LANE_KEY, event: { v: 1, kind: 'vendor.switched', at, vendor, open, by } }]);
    return true;
  };

  return {
    async set(vendor, wish) {
      if (wish.open && !log.healthy(surroundings.now())) throw logError('ERR_LOG_STALLED', { retryAfter: 1 });
      const changed = await database.transaction((tx) => turn(tx, vendor, wish));
      bus.hint('lane');
      return changed ? 'done' : 'already';
    },
    async states() {
      const now = surroundings.now();
      const closed = new Map(
        (await database.query<{ vendor: string; at: number }>('routing-closed-at', CLOSED)).map((row) => [
          row.vendor,
          row.at,
        ]),
      );
      const health = new Map(
        (await database.query<{ vendor: string; opened: number; until: number }>('routing-health', HEALTH)).map(
          (row) => [row.vendor, row],
        ),
      );
      const running = bundle();
      const rungs = (running?.flows ?? []).flatMap(({ ladder }) => ladder.flatMap(vendorsOf));
      const known = new Map(rungs.map(({ vendor, adapter }) => [vendor, adapter]));
      const stateOf = (vendor: VendorName): Pick<VendorStates['vendors'][number], 'state' | 'since'> => {
        const expires = running?.vendors?.find(({ name }) => name === vendor)?.expires;
        const circuit = health.get(vendor);
        if (closed.has(vendor)) return { state: 'closed-by-operator', since: closed.get(vendor) ?? null };
        if (expires !== undefined && expires <= now) return { state: 'expired', since: expires };
        if (circuit === undefined) return { state: 'open', since: null };
        return { state: circuit.until > now ? 'failing' : 'probing', since: circuit.opened };
      };
      return { vendors: [...known].map(([vendor, adapter]) => ({ vendor, adapter, ...stateOf(vendor) })) };
    },
  };
}
