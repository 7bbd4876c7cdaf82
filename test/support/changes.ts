/**
 * "Changes nothing", measured: how many rows every table of control and gateway holds and how long the log is, but for
 * what a refused request is meant to leave behind and what servers do by themselves.
 */
import type { Database } from '../../packages/platform/src/index.ts';
import type { RunningHouse } from './running-house.ts';

/** Replay memory, limits on guessing, and the sequencer's own bookkeeping (the log's events are counted in lane_event). */
const NOT_COUNTED = ['request_nonce', 'assertion_used', 'enrollment_failure', 'sync_session', 'witness_seen', 'log_'];

export async function countsOf({ databases }: RunningHouse): Promise<Record<string, number>> {
  return {
    ...(await tablesOf('control', databases.control)),
    ...(await tablesOf('gateway', databases.gateway)),
  };
}

async function tablesOf(zone: string, database: Database): Promise<Record<string, number>> {
  const tables = await database.query<{ name: string }>(
    'tables',
    "SELECT table_name::text AS name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1",
    [],
  );
  const counted = tables.filter(({ name }) => !NOT_COUNTED.some((prefix) => name.startsWith(prefix)));
  const counts: Record<string, number> = {};
  for (const { name } of counted) {
    const [row] = await database.query<{ count: number }>(
      `count-${name}`,
      `SELECT count(*)::int AS count FROM ${name}`,
      [],
    );
    counts[`${zone}.${name}`] = row!.count;
  }
  return counts;
}

/** Everything that was committed is in the tree, so that the size of the log stands still unless somebody acts. */
export async function settledSize(house: RunningHouse): Promise<number> {
  for (;;) {
    const [row] = await house.databases.gateway.query<{ count: number }>(
      'events',
      'SELECT count(*)::int AS count FROM lane_event',
      [],
    );
    if ((await house.checkpointSize()) === row!.count) return row!.count;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
