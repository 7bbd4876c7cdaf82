/** Circuits of vendors: the decision for itself, and on one database with several dispatchers. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  circuitOf,
  FAILURES_TO_OPEN,
  FIRST_COOL_DOWN,
  type Health,
  healthAfter,
  LONGEST_COOL_DOWN,
  PROBE_MS,
} from '../../src/dispatcher/circuit.ts';
import { until } from '../delivery/bench.ts';
import { createDesk, type Desk, type FakeVendor } from './desk.ts';

describe('a circuit', () => {
  const steps = fc.array(
    fc.record({ wait: fc.nat({ max: 400_000 }), sign: fc.constantFrom('working', 'failing', 'neither') }),
    { maxLength: 60 },
  );

  test('lets every call through while closed, none while it cools down, and opens for failures in a row only', () => {
    fc.assert(
      fc.property(steps, (calls) => {
        let health: Health | undefined;
        let now = 1_000_000;
        let inARow = 0;
        for (const { wait, sign } of calls) {
          now += wait;
          const circuit = circuitOf(health, now);
          expect(circuit.kind === 'closed').toBe(inARow < FAILURES_TO_OPEN);
          if (circuit.kind === 'open') {
            expect(circuit.afterMs).toBeGreaterThan(0);
            expect(circuit.afterMs).toBeLessThanOrEqual(LONGEST_COOL_DOWN);
            continue;
          }
          health = healthAfter(health, sign, { probe: circuit.kind === 'probe-due', now });
          if (sign === 'failing') inARow += 1;
          if (sign === 'working') inARow = 0;
          if (sign === 'working') expect(health).toBeUndefined();
        }
      }),
    );
  });

  test('waits longer after each failed probe, never longer than the bound, and starts anew once it has closed', () => {
    let health: Health | undefined;
    let now = 0;
    const waits: number[] = [];
    for (let failures = 0; failures < FAILURES_TO_OPEN + 10; failures += 1) {
      const probe = circuitOf(health, now).kind === 'probe-due';
      health = healthAfter(health, 'failing', { probe, now });
      const circuit = circuitOf(health, now);
      if (circuit.kind !== 'open') continue;
      waits.push(circuit.afterMs);
      now += circuit.afterMs;
    }
    expect(waits[0]).toBe(FIRST_COOL_DOWN);
    expect(waits.at(-1)).toBe(LONGEST_COOL_DOWN);
    expect(waits).toEqual([...waits].sort((a, b) => a - b));
    expect(healthAfter(health, 'working', { probe: true, now })).toBeUndefined();
  });

  test('is neither closed nor kept open longer by calls made before it opened', () => {
    const open: Health = { failures: FAILURES_TO_OPEN, opened: 1000, until: 6000 };
    for (const sign of ['working', 'failing', 'neither'] as const)
      expect(healthAfter(open, sign, { probe: false, now: 2000 })).toEqual(open);
  });
});

describe('the circuit of a vendor', () => {
  let desk: Desk;
  let one: FakeVendor;
  beforeEach(async () => {
    desk = await createDesk();
    one = desk.vendor('one');
  });
  afterEach(() => desk[Symbol.asyncDispose]());

  const fails = () => {
    one.answer = () => ({ kind: 'retry-after', afterMs: 1, reason: '503' });
  };
  const works = () => {
    one.answer = ({ id }) => ({ kind: 'accepted', providerMessageId: id });
  };
  const open = async () => {
    fails();
    for (let failures = 0; failures < FAILURES_TO_OPEN; failures += 1) await desk.reportOf({});
    one.sent.length = 0;
  };

  test('once open keeps all dispatchers from calling, and tells how long', async () => {
    await open();
    const other = desk.node();
    await desk.put({});
    expect((await desk.work(other)).map(({ report }) => report)).toEqual([
      { kind: 'retry-after', afterMs: FIRST_COOL_DOWN, reason: 'circuit-open' },
    ]);
    expect(one.sent).toEqual([]);
    desk.vendor('two');
    expect(await desk.reportOf({ vendor: 'two' })).toMatchObject({ kind: 'accepted' });
  });

  test('lets one probe through, whoever makes it, and closes for all when that is answered', async () => {
    await open();
    desk.clock.advance(FIRST_COOL_DOWN);
    let answered: (() => void) | undefined;
    const answering = new Promise<void>((resolve) => {
      answered = resolve;
    });
    one.answer = async ({ id }) => {
      await answering;
      return { kind: 'accepted', providerMessageId: id };
    };
    for (let tries = 0; tries < 8; tries += 1) await desk.put({});
    const nodes = [desk.database, desk.node(), desk.node()];
    // Each claims what the others have not; all ask for the probe at once.
    const working = Promise.all(nodes.map((node) => desk.work(node)));
    const kept = async () =>
      (await desk.database.query('t-kept', "SELECT 1 FROM attempt_outcome WHERE outcome LIKE '%circuit-open%'")).length;
    await until(async () => (await kept()) === 7, 'all but one are kept');
    expect(one.sent).toHaveLength(1);
    answered?.();
    await working;
    works();
    expect(await desk.reportOf({})).toMatchObject({ kind: 'accepted' });
    expect(await desk.database.query('t-health', 'SELECT 1 FROM vendor_health')).toEqual([]);
  });

  test('that loses its probe with the dispatcher lets another through later', async () => {
    await open();
    desk.clock.advance(FIRST_COOL_DOWN);
    await desk.database.query('t-lost', 'UPDATE vendor_health SET until = $1', [desk.clock.now() + PROBE_MS]);
    works();
    expect(await desk.reportOf({})).toMatchObject({ reason: 'circuit-open' });
    desk.clock.advance(PROBE_MS);
    expect(await desk.reportOf({})).toMatchObject({ kind: 'accepted' });
  });

  test('does not open for what the provider says of people and messages, or for refusals of our own', async () => {
    for (const answer of [
      { kind: 'downgrade', reason: '404' },
      { kind: 'permanent', reason: '400' },
      { kind: 'security-stop', reason: 'x' },
    ] as const)
      for (let tries = 0; tries <= FAILURES_TO_OPEN; tries += 1) {
        one.answer = () => answer;
        expect(await desk.reportOf({ recipient: `${answer.kind}-${tries}` })).toEqual(answer);
      }
    for (let tries = 0; tries <= FAILURES_TO_OPEN; tries += 1) await desk.reportOf({ adapter: 'rcs-google' });
    works();
    expect(await desk.reportOf({})).toMatchObject({ kind: 'accepted' });
  });

  test('counts failures of all dispatchers together, and a success in between begins anew', async () => {
    fails();
    const nodes = [desk.database, desk.node()];
    for (let failures = 0; failures < FAILURES_TO_OPEN - 1; failures += 1) {
      await desk.put({});
      await desk.work(nodes[failures % 2]);
    }
    works();
    await desk.reportOf({});
    await open();
    expect(await desk.reportOf({})).toMatchObject({ reason: 'circuit-open' });
  });

  test('costs a working vendor no write', async () => {
    await desk.reportOf({});
    expect(await desk.database.query('t-rows', 'SELECT 1 FROM vendor_health')).toEqual([]);
  });
});
