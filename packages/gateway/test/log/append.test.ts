/** Appending: gapless a lane, in order, inside the caller's transaction, whatever happens at the same time. */

import type { LogEvent } from '@sealpost/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { laneOf } from '../../src/modules/log/index.ts';
import { createLogBench, type LogBench } from '../support/gateway-log.ts';

const created = (key: string): { laneKey: string; event: LogEvent } => ({
  laneKey: key,
  event: { v: 1, kind: 'group.created', at: 1, conversation: `con_${key.padEnd(22, 'x')}` as never, creator: key },
});

async function sequences({ database }: LogBench): Promise<Map<number, number[]>> {
  const rows = await database.query<{ lane: number; seq: number }>(
    't',
    'SELECT lane, seq FROM lane_event ORDER BY lane, seq',
  );
  const lanes = new Map<number, number[]>();
  for (const { lane, seq } of rows) lanes.set(lane, [...(lanes.get(lane) ?? []), seq]);
  return lanes;
}

test('concurrent appends of any mix of lanes leave every lane gapless and lose nothing', async () => {
  await using bench = await createLogBench();
  const { database, log } = bench;
  const keys = fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 1, maxLength: 6 });
  let total = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(keys, fc.boolean()), { minLength: 1, maxLength: 12 }), async (transactions) => {
      await Promise.all(
        transactions.map(async ([lanes, fails]) => {
          const work = database.transaction(async (tx) => {
            const appended = await log.append(tx, lanes.map(created));
            expect(appended.map(({ lane }) => lane)).toEqual(lanes.map(laneOf));
            if (fails) throw new Error('rolled back');
          });
          await work.catch((error: unknown) => expect(error).toEqual(new Error('rolled back')));
        }),
      );
      total += transactions.filter(([, fails]) => !fails).reduce((sum, [lanes]) => sum + lanes.length, 0);
      const stored = await sequences(bench);
      expect([...stored.values()].flat()).toHaveLength(total);
      for (const lane of stored.values()) expect(lane).toEqual(lane.map((_, at) => at + 1));
    }),
    { numRuns: 25 },
  );
});

test('events of one transaction keep the order in which they were given', async () => {
  await using bench = await createLogBench();
  const { database, log } = bench;
  const appended = await database.transaction((tx) => log.append(tx, ['b', 'a', 'b', 'a', 'b'].map(created)));
  const ofB = appended.filter(({ lane }) => lane === laneOf('b'));
  expect(ofB.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
  expect((await log.read(database, laneOf('b'), 1, 10)).map(({ sequence }) => sequence)).toEqual([2, 3]);
});

test('every event has a salt of its own, also beside others of one append', async () => {
  await using bench = await createLogBench();
  const { database, log } = bench;
  const appended = await database.transaction((tx) => log.append(tx, ['a', 'a', 'b', 'c'].map(created)));
  expect(appended.map(({ salt }) => salt.length)).toEqual([32, 32, 32, 32]);
  expect(new Set(appended.map(({ salt }) => salt.join())).size).toBe(4);
});

test('what was appended opens its leaf, and what was rolled back left no trace', async () => {
  await using bench = await createLogBench();
  const { database, log } = bench;
  const rolledBack = database.transaction(async (tx) => {
    await log.append(tx, [created('a')]);
    throw new Error('no');
  });
  await expect(rolledBack).rejects.toThrow('no');
  const [first] = await database.transaction((tx) => log.append(tx, [created('a')]));
  expect(first?.sequence).toBe(1);
  expect(JSON.parse(first?.record ?? '')).toEqual(created('a').event);
  expect(first?.salt).toHaveLength(32);
});
