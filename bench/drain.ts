/**
 * Draining a backlog with a long snapshot open (DESIGN section 15): a reader that holds back vacuum for as long as it
 * likes, a backup say, must not slow down deciding. Rounds take turns, so that what else the machine does falls on both.
 */
import { openDatabase } from '@sealpost/platform';
import { draftOf } from './accept.ts';
import { measureBaseline } from './support/baseline.ts';
import { type House, withHouse } from './support/house.ts';
import { type Measured, type Meter, makeMany, median } from './support/load.ts';
import type { BenchOptions, Result } from './support/report.ts';
import { type BenchServer, withServer } from './support/server.ts';

/** Longer than any run: a notice that came due would be work of another kind. */
const NEVER = 3_000_000;
const AMOUNTS = { usual: { backlog: 1_000, rounds: 3 }, quick: { backlog: 32, rounds: 1 } };

export function run(options: BenchOptions): Promise<Result> {
  return withServer(options, (server) =>
    withHouse(server, { noticeAfter: NEVER }, (house) => measure(server, house, options)),
  );
}

async function measure(server: BenchServer, house: House, { quick }: BenchOptions): Promise<Result> {
  const { backlog, rounds } = quick ? AMOUNTS.quick : AMOUNTS.usual;
  const base = await measureBaseline(server, 2_048);
  const without: Measured[] = [];
  const beside: Measured[] = [];
  await drain(house, server.meter, backlog);
  for (let round = 0; round < rounds; round++) {
    without.push(await drain(house, server.meter, backlog));
    beside.push(
      await besideSnapshot(server, async () => {
        // Leaves row versions that nobody may remove.
        await drain(house, server.meter, backlog);
        return drain(house, server.meter, backlog);
      }),
    );
  }
  await house.settle();
  const [alone, held] = [middle(without), middle(beside)];
  return {
    bench: 'drain',
    about: [`backlogs of ${backlog} messages, each decided into a fan-out and two timers; median of ${rounds}`],
    lines: [
      ...base.lines,
      { name: 'drain, no snapshot', unit: 'msg/s', ...alone },
      { name: 'drain beside a long snapshot', unit: 'msg/s', ...held },
    ],
    budgets: [{ name: 'beside a long snapshot ÷ without', value: held.rate / alone.rate, budget: 0.9, bound: 'least' }],
    counted: await counts(house),
  };
}

async function drain(house: House, meter: Meter, backlog: number): Promise<Measured> {
  const drafts = makeMany(backlog, () => draftOf(house.envelope(), house.surroundings));
  await Promise.all(drafts.map((draft) => house.groupCommit.accept(draft)));
  return meter.timed(async () => {
    while (await house.delivery.step());
    return backlog;
  });
}

/** A transaction that has read, and keeps what it has seen until the work is done. */
async function besideSnapshot<T>({ connection }: BenchServer, work: () => Promise<T>): Promise<T> {
  const reader = openDatabase({ ...connection, pool: 2 });
  try {
    return await reader.transaction(async (tx) => {
      await tx.query('bench-snapshot', 'SET TRANSACTION ISOLATION LEVEL REPEATABLE READ');
      await tx.query('bench-look', 'SELECT count(*) FROM lane_event');
      return await work();
    });
  } finally {
    await reader.close();
  }
}

function middle(measured: readonly Measured[]): Measured {
  const of = (name: keyof Measured) => median(measured.map((one) => one[name]));
  return { rate: of('rate'), node: of('node'), postgres: of('postgres') };
}

const COUNTS = `
SELECT (SELECT count(*)::int FROM envelope) AS accepted,
  (SELECT count(*)::int FROM lane_event WHERE kind = 'route.step') AS decided,
  (SELECT count(*)::int FROM device_queue) AS queued`;

async function counts({ database }: House): Promise<Record<string, number>> {
  const [row] = await database.query<Record<string, number>>('bench-drained', COUNTS);
  if (row === undefined || row.accepted !== row.decided || row.accepted !== row.queued)
    throw new Error('a message was not decided');
  return row;
}
