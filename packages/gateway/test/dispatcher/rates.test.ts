/** Rates: what the pace lets through in any stretch of time, and that several dispatchers keep one bound together. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { paceOf } from '../../src/dispatcher/rates.ts';
import { sweep } from '../../src/dispatcher/sweep.ts';
import { createDesk, type Desk, type FakeVendor } from './desk.ts';

/** The most sends any half-open stretch of `per` holds. */
function densest(times: readonly number[], per: number): number {
  return Math.max(0, ...times.map((from, at) => times.slice(at).filter((time) => time < from + per).length));
}

describe('a pace', () => {
  test('lets through no more than the limit in any stretch, and at least half of it at once', () => {
    const asked = fc.array(fc.nat({ max: 3000 }), { minLength: 1, maxLength: 120 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 20_000 }), asked, (count, per, gaps) => {
        const { gap, tolerance } = paceOf({ count, per });
        let [now, arrival] = [0, 0];
        const sent: number[] = [];
        for (const wait of gaps) {
          now += wait;
          if (arrival > now + tolerance) continue;
          arrival = Math.max(arrival, now) + gap;
          sent.push(now);
        }
        expect(densest(sent, per)).toBeLessThanOrEqual(count);
        expect(tolerance / gap + 1).toBeGreaterThanOrEqual(count / 2);
      }),
    );
  });
});

describe('rates', () => {
  let desk: Desk;
  let one: FakeVendor;
  beforeEach(async () => {
    desk = await createDesk();
    one = desk.vendor('one');
  });
  afterEach(() => desk[Symbol.asyncDispose]());

  const LIMIT = { key: 'vendor:one', count: 10, per: 60_000 };

  test('are kept by all dispatchers together: no stretch holds more than the limit, whoever sends', async () => {
    const nodes = [desk.database, desk.node()];
    const start = desk.clock.now();
    const sent: number[] = [];
    one.answer = ({ id }) => {
      sent.push(desk.clock.now() - start);
      return { kind: 'accepted', providerMessageId: id };
    };
    for (let second = 0; second < 120; second += 3) {
      for (let tries = 0; tries < 4; tries += 1) await desk.put({ limits: [LIMIT] });
      await Promise.all(nodes.map((node) => desk.work(node)));
      desk.clock.advance(3000);
    }
    expect(densest(sent, LIMIT.per)).toBeLessThanOrEqual(LIMIT.count);
    expect(sent.length).toBeGreaterThan(LIMIT.count);
  });

  test('say exactly when the next send is on time: not a millisecond sooner, and then it goes', async () => {
    const limits = [{ key: 'agent:a', count: 1, per: 7000 }];
    expect(await desk.reportOf({ limits })).toMatchObject({ kind: 'accepted' });
    desk.clock.advance(500);
    expect(await desk.reportOf({ limits })).toEqual({ kind: 'retry-after', afterMs: 6500, reason: 'rate-limited' });
    desk.clock.advance(6499);
    expect(await desk.reportOf({ limits })).toMatchObject({ afterMs: 1 });
    desk.clock.advance(1);
    expect(await desk.reportOf({ limits })).toMatchObject({ kind: 'accepted' });
    expect(one.sent).toHaveLength(2);
  });

  test('count a send under all of its limits or under none', async () => {
    const wide = { key: 'vendor:one', count: 2, per: 60_000 };
    const narrow = { key: 'recipient:f:alice', count: 1, per: 600_000 };
    expect(await desk.reportOf({ limits: [narrow] })).toMatchObject({ kind: 'accepted' });
    for (let tries = 0; tries < 5; tries += 1)
      expect(await desk.reportOf({ limits: [wide, narrow] })).toMatchObject({ reason: 'rate-limited' });
    expect(await desk.reportOf({ limits: [wide] })).toMatchObject({ kind: 'accepted' });
  });

  test('do not count what was kept for another reason', async () => {
    const limits = [{ key: 'vendor:one', count: 1, per: 60_000 }];
    one = desk.vendor('one', 'sms-smpp', { lookup: true });
    one.reach = () => ({ kind: 'unreachable', reason: 'no-rcs' });
    expect(await desk.reportOf({ limits })).toMatchObject({ kind: 'downgrade' });
    expect(await desk.reportOf({ limits, adapter: 'rcs-google' })).toMatchObject({ kind: 'permanent' });
    one.reach = () => ({ kind: 'reachable', features: [] });
    expect(await desk.reportOf({ limits, recipient: 'bob' })).toMatchObject({ kind: 'accepted' });
  });

  test('are the same after rows whose time has passed were swept', async () => {
    const limits = [{ key: 'vendor:one', count: 1, per: 1000 }];
    await desk.reportOf({ limits });
    await sweep(desk.database, desk.clock.now());
    expect(await desk.reportOf({ limits })).toMatchObject({ reason: 'rate-limited' });
    desk.clock.advance(1001);
    await sweep(desk.database, desk.clock.now());
    expect(await desk.database.query('t-rates', 'SELECT 1 FROM rate')).toEqual([]);
    expect(await desk.reportOf({ limits })).toMatchObject({ kind: 'accepted' });
  });
});
