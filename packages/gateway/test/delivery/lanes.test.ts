/**
 * Lanes and what waits in them: each input decided once whichever nodes run, nothing passed over, and one message's
 * trouble neither lost nor in the way of others.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { laneOf } from '../../src/modules/log/index.ts';
import { createDeliveryBench, type DeliveryBench, until } from './bench.ts';
import { FLOW } from './fixtures.ts';

describe('lanes', () => {
  let bench: DeliveryBench;
  beforeEach(async () => {
    bench = await createDeliveryBench();
  });
  afterEach(() => bench[Symbol.asyncDispose]());

  const people = (count: number) =>
    Promise.all(Array.from({ length: count }, (_, number) => bench.recipient(`person-${number}`)));
  const aside = () =>
    bench.database.query<{ code: string; failures: number }>(
      't-aside',
      'SELECT code, failures FROM set_aside ORDER BY id',
    );
  const receipt = (ids: string[], status = 'delivered', channel = 'sms-main') =>
    bench.database.query(
      't-receipt',
      'INSERT INTO provider_receipt (vendor, ids, status, code, received) VALUES ($1, $2, $3, $4, $5)',
      [channel, ids, status, 'x', bench.clock.now()],
    );
  /** The dispatcher's report, as it writes it. */
  const report = (message: string, outcome: object) =>
    bench.database.query(
      't-outcome',
      `WITH mine AS (UPDATE attempt SET done = true WHERE message = $1 AND NOT done RETURNING id, lane, message)
       INSERT INTO attempt_outcome (attempt, lane, message, outcome, at) SELECT id, lane, message, $2, 0 FROM mine`,
      [message, JSON.stringify(outcome)],
    );

  test('two nodes at work at once decide each acceptance, timer, outcome and receipt exactly once', async () => {
    const all = await people(12);
    const other = bench.deliveryOf(await bench.node());
    await bench.delivery.start();
    await bench.database.query('t-half', 'UPDATE lane_cursor SET lease_until = 0 WHERE lane % 2 = 0');
    await other.start();
    try {
      const messages = [];
      for (const person of [...all, ...all]) messages.push((await bench.accept(person)).message);
      await until(async () => (await bench.count('timer')) === messages.length * 3, 'all are accepted');
      bench.clock.advance(2000);
      await until(async () => (await bench.count('attempt')) === messages.length, 'all are due');
      for (const [index, message] of messages.entries())
        await report(message, { kind: 'accepted', providerMessageId: `p-${index}` });
      for (const index of messages.keys()) await receipt([`p-${index}`], 'delivered', 'rcs-main');
      await until(
        async () => (await bench.count('attempt_outcome')) + (await bench.count('provider_receipt')) === 0,
        'everything is decided',
      );
      for (const message of messages)
        expect((await bench.events(message)).map(({ kind }) => kind).sort()).toEqual(
          [
            'attempt.ended',
            'attempt.started',
            'message.accepted',
            'receipt.provider',
            'route.step',
            'route.step',
          ].sort(),
        );
    } finally {
      await other.stop();
    }
  });

  test('an event that takes its number first and commits last is not passed over', async () => {
    const [alice] = await people(1);
    const lane = laneOf(alice!.conversation);
    const first = await bench.accept(alice!);
    await bench.settle();
    const held = await bench.database.connection();
    await held.sql.query('t-begin', 'BEGIN');
    await held.sql.query('t-take', 'UPDATE lane SET head = head + 1 WHERE lane = $1', [lane]);
    let waited = true;
    const second = bench.accept(alice!).finally(() => {
      waited = false;
    });
    const stepping = bench.settle();
    await until(
      async () =>
        (
          await bench.database.query(
            't-waiting',
            "SELECT 1 FROM pg_locks WHERE NOT granted AND locktype IN ('transactionid', 'tuple')",
          )
        ).length > 0,
      'the second waits for the number',
    );
    expect(waited).toBe(true);
    await held.sql.query('t-back', 'ROLLBACK');
    held.release();
    const { message } = await second;
    await stepping;
    await bench.settle();
    expect(await bench.eventsOf(message, 'route.step')).toHaveLength(1);
    const events = await bench.log.read(bench.database, lane, 0, 100);
    expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1));
    expect(await bench.eventsOf(first.message, 'route.step')).toHaveLength(1);
  });

  test('a message that cannot be decided is set aside with its code, its lane goes on, and it is decided once it can be', async () => {
    const [alice] = await people(1);
    bench.flow = async (version) => {
      if (broken) throw new TypeError(`no bundle ${version}`);
      return FLOW;
    };
    let broken = true;
    const poisoned = await bench.accept(alice!);
    await bench.settle();
    expect(await aside()).toEqual([{ code: 'TypeError', failures: 1 }]);
    expect(
      await bench.database.query(
        't-behind',
        'SELECT 1 FROM lane_cursor c JOIN lane l USING (lane) WHERE c.decided < l.head',
      ),
    ).toEqual([]);
    expect(bench.logged.map((line) => JSON.parse(line))).toMatchObject([
      { event: 'input set aside', code: 'TypeError', message: poisoned.message, state: 'accepted' },
    ]);
    expect(bench.logged.join()).not.toContain('no bundle');
    bench.clock.advance(1000);
    await bench.settle();
    expect(await aside()).toEqual([{ code: 'TypeError', failures: 2 }]);
    broken = false;
    const next = await bench.accept(alice!);
    await bench.settle();
    expect(await bench.eventsOf(next.message, 'route.step')).toHaveLength(1);
    bench.clock.advance(2000);
    await bench.settle();
    expect(await aside()).toEqual([]);
    expect(
      (await bench.eventsOf(poisoned.message, 'route.step')).map(({ channel, decision }) => `${channel} ${decision}`),
    ).toContain('app taken');
  });

  test('one input that cannot be decided takes none of its batch with it', async () => {
    const [alice] = await people(1);
    const messages = [await bench.accept(alice!), await bench.accept(alice!), await bench.accept(alice!)];
    const [, missing] = messages;
    await bench.database.query('t-loss', 'DELETE FROM envelope WHERE message = $1', [missing!.message]);
    await bench.settle();
    expect(await aside()).toEqual([{ code: 'ERR_DELIVERY_ENVELOPE', failures: 1 }]);
    for (const { message } of messages)
      expect(await bench.eventsOf(message, 'route.step')).toHaveLength(message === missing!.message ? 0 : 1);
    expect(await bench.count('device_queue')).toBe(2);
  });

  test('an outcome for ids or a lane that are not ours changes nothing and stays nowhere', async () => {
    const [alice] = await people(1);
    const { message } = await bench.accept(alice!);
    await bench.settle();
    bench.clock.advance(2000);
    await bench.settle();
    const [started] = await bench.eventsOf(message, 'attempt.started');
    const forge = (lane: number, about: string, attempt: string) =>
      bench.database.query(
        't-forge',
        'INSERT INTO attempt_outcome (attempt, lane, message, outcome, at) VALUES ($1, $2, $3, $4, 0)',
        [attempt, lane, about, '{"kind":"downgrade","reason":"x"}'],
      );
    const lane = laneOf(alice!.conversation);
    await forge((lane + 1) % 64, message, started!.attempt);
    await forge(lane, bench.clock.uuid(), started!.attempt);
    await forge(lane, bench.clock.messageId(), started!.attempt);
    await forge(lane, message, bench.clock.uuid());
    await bench.settle();
    expect(await bench.eventsOf(message, 'attempt.ended')).toEqual([]);
    expect([await bench.count('attempt_outcome'), await aside()]).toEqual([0, []]);
  });

  test('a receipt belongs to the first of its spellings that is known, in the order the adapter lists them', async () => {
    const [alice, bob] = await people(2);
    const [first, second] = [
      await bench.accept(alice!, { forms: ['sms-main'] }),
      await bench.accept(bob!, { forms: ['sms-main'] }),
    ];
    await bench.settle();
    bench.clock.advance(4000);
    await bench.settle();
    // '16' is the exact id of one and, read as hexadecimal, '22' of the other.
    await report(first.message, { kind: 'accepted', providerMessageId: '22' });
    await report(second.message, { kind: 'accepted', providerMessageId: '16' });
    await bench.settle();
    await receipt(['16', '22']);
    await bench.settle();
    expect(await bench.eventsOf(first.message, 'receipt.provider')).toEqual([]);
    expect(await bench.eventsOf(second.message, 'receipt.provider')).toHaveLength(1);
    await receipt(['22', '16']);
    await bench.settle();
    expect(await bench.eventsOf(first.message, 'receipt.provider')).toHaveLength(1);
    expect(await bench.eventsOf(second.message, 'receipt.provider')).toHaveLength(1);
  });

  test('a receipt that comes before its message has a name waits, and counts once it has', async () => {
    const [alice] = await people(1);
    const { message } = await bench.accept(alice!, { forms: ['sms-main'] });
    await bench.settle();
    bench.clock.advance(4000);
    await bench.settle();
    await receipt(['early-1']);
    await bench.settle();
    expect([await bench.count('provider_receipt'), await bench.eventsOf(message, 'receipt.provider')]).toEqual([1, []]);
    await report(message, { kind: 'accepted', providerMessageId: 'early-1' });
    await bench.settle();
    expect(await bench.eventsOf(message, 'receipt.provider')).toMatchObject([
      { status: 'delivered', effect: 'counted' },
    ]);
    expect(await bench.count('provider_receipt')).toBe(0);
  });

  test('inputs about one message that are taken together are decided one after the other', async () => {
    const [alice, bob] = await people(2);
    const { message } = await bench.accept(alice!, { forms: ['sms-main'] });
    const other = await bench.accept(bob!, { forms: ['sms-main'] });
    await bench.settle();
    bench.clock.advance(4000);
    await bench.settle();
    const [started] = await bench.eventsOf(message, 'attempt.started');
    await report(message, { kind: 'accepted', providerMessageId: 'p-1' });
    // The attempt's own id is a name from the start, so all three wait at the same time.
    await receipt([started!.attempt]);
    await receipt([started!.attempt]);
    await bench.delivery.step();
    const told = (await bench.events(message)).slice(-3);
    expect(told).toMatchObject([
      { kind: 'attempt.ended', outcome: 'accepted' },
      { kind: 'receipt.provider', effect: 'counted' },
      { kind: 'receipt.provider', effect: 'duplicate' },
    ]);
    expect((await bench.events(other.message)).at(-1)).toMatchObject({ kind: 'attempt.started' });
  });

  test('a revoked device is queued nothing, and a message that has no other is undeliverable', async () => {
    const [alice, bob] = await people(2);
    await bench.revoke(bob!.person);
    const [reached, lost] = [await bench.accept(alice!), await bench.accept(bob!)];
    await bench.settle();
    expect([
      await bench.count('device_queue', reached.message),
      await bench.count('device_queue', lost.message),
    ]).toEqual([1, 0]);
    expect((await bench.events(lost.message)).at(-1)).toMatchObject({ kind: 'message.ended', state: 'undeliverable' });
  });

  test('an id a provider uses again belongs to the newest message', async () => {
    const [alice, bob] = await people(2);
    const messages = [];
    for (const person of [alice!, bob!]) {
      const { message } = await bench.accept(person, { forms: ['sms-main'] });
      await bench.settle();
      bench.clock.advance(4000);
      await bench.settle();
      await report(message, { kind: 'accepted', providerMessageId: '0001' });
      await bench.settle();
      messages.push(message);
    }
    await receipt(['0001']);
    await bench.settle();
    expect(await bench.eventsOf(messages[0]!, 'receipt.provider')).toEqual([]);
    expect(await bench.eventsOf(messages[1]!, 'receipt.provider')).toHaveLength(1);
  });

  test('steps that came due while nobody was there are taken in the order of the ladder', async () => {
    const [alice] = await people(1);
    const { message } = await bench.accept(alice!);
    await bench.settle();
    bench.clock.advance(3_600_000);
    await bench.settle();
    expect((await bench.eventsOf(message, 'route.step')).map(({ step }) => step)).toEqual([0, 1, 2]);
  });

  test('a node that comes back after its lanes were taken over decides nothing twice', async () => {
    const [alice] = await people(1);
    await bench.delivery.step();
    bench.clock.advance(31_000);
    const other = bench.deliveryOf(await bench.node());
    await other.step();
    const { message } = await bench.accept(alice!);
    await Promise.all([bench.settle(), other.step(), bench.settle(), other.step()]);
    await other.step();
    expect(await bench.eventsOf(message, 'route.step')).toHaveLength(1);
    expect(await bench.count('timer', message)).toBe(3);
    await other.stop();
  });
});
