/**
 * Dispatchers that die between taking an attempt and reporting it, attempts nobody can read, and what the dispatcher's
 * database role may do. A report is kept from being stored as in life: the database refuses it.
 */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { openDatabase } from '@sealpost/platform';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { claimAttempts, LEASE_MS, renewLeases, reportOutcome } from '../../src/dispatcher/claims.ts';
import { until } from '../delivery/bench.ts';
import { createStage, type Stage } from './stage.ts';

describe('a dispatcher that stops', () => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await createStage();
  });
  afterEach(() => stage[Symbol.asyncDispose]());

  const reports = (verb: 'GRANT' | 'REVOKE') =>
    stage.database.query(
      `t-${verb}-${stage.clock.uuid()}`,
      `${verb} INSERT ON attempt_outcome ${verb === 'GRANT' ? 'TO' : 'FROM'} ${stage.role}`,
    );

  /** Lets a dispatcher send on this channel and stop before its report is stored. */
  const crashAfterSending = async (carrier: 'rbm' | 'smsc', forms: string[], after: number) => {
    const alice = await stage.recipient('alice');
    const { message } = await stage.accept(alice, { forms });
    await stage.settle();
    // A receipt would settle the message, and rightly spare the repeat.
    await stage.fault(carrier, 'late-receipt');
    await reports('REVOKE');
    const first = await stage.start();
    stage.clock.advance(after);
    await stage.settle();
    await until(async () => (await stage.sent(carrier)).length === 1, 'the carrier has it');
    await first.stop();
    await reports('GRANT');
    expect(await stage.eventsOf(message, 'attempt.ended')).toEqual([]);
    return message;
  };

  test('between sending and reporting on RCS has the same attempt sent again, and the provider shows it once', async () => {
    const message = await crashAfterSending('rbm', ['rcs-main'], 2000);
    stage.clock.advance(LEASE_MS + 1);
    await stage.start();
    await stage.reaches(message, 'the report', (events) => events.includes('attempt.ended rcs-main accepted'));
    expect(await stage.sent('rbm')).toHaveLength(2);
    expect((await stage.phone('+4915112345678')).messages).toHaveLength(1);
    expect(await stage.eventsOf(message, 'attempt.started')).toHaveLength(1);
  });

  test('between sending and reporting on SMS is reported as ambiguous and nothing is sent twice', async () => {
    const message = await crashAfterSending('smsc', ['sms-main'], 4000);
    stage.clock.advance(LEASE_MS + 1);
    await stage.start();
    await stage.reaches(message, 'the report', (events) => events.includes('attempt.ended sms-main ambiguous'));
    stage.clock.advance(120_000);
    await stage.settle();
    expect(await stage.eventsOf(message, 'attempt.ended')).toMatchObject([{ reason: 'interrupted' }]);
    expect(await stage.sent('smsc')).toHaveLength(1);
  });

  test('while its report cannot be stored offers it until it can', async () => {
    const alice = await stage.recipient('alice');
    const { message } = await stage.accept(alice, { forms: ['sms-main'] });
    await stage.settle();
    await reports('REVOKE');
    await stage.start();
    stage.clock.advance(4000);
    await stage.settle();
    await until(async () => (await stage.sent('smsc')).length === 1, 'the carrier has it');
    await reports('GRANT');
    await stage.reaches(message, 'the report', (events) => events.includes('attempt.ended sms-main accepted'));
    await stage.reaches(message, 'the receipt, which came before the report', (events) =>
      events.includes('receipt.provider sms-main delivered counted'),
    );
  });

  test('an attempt in no known form ends visibly and holds up none behind it', async () => {
    const [alice, bob] = [
      await stage.recipient('alice', '+4915100000001'),
      await stage.recipient('bob', '+4915100000002'),
    ];
    const broken = await stage.accept(alice, { forms: ['rcs-main'] });
    const fine = await stage.accept(bob, { forms: ['rcs-main'] });
    await stage.settle();
    stage.clock.advance(2000);
    await stage.settle();
    await stage.database.query('t-break', "UPDATE attempt SET part = '{' WHERE message = $1", [broken.message]);
    await stage.start();
    await stage.reaches(fine.message, 'the other goes out', (events) =>
      events.includes('attempt.ended rcs-main accepted'),
    );
    await stage.reaches(broken.message, 'its end', (events) => events.includes('attempt.ended rcs-main permanent'));
    expect(await stage.eventsOf(broken.message, 'attempt.ended')).toMatchObject([{ reason: 'unreadable-attempt' }]);
  });

  test('an attempt for another adapter than its vendor is configured with is never sent', async () => {
    const alice = await stage.recipient('alice');
    const { message } = await stage.accept(alice, { forms: ['rcs-main'] });
    await stage.settle();
    stage.clock.advance(2000);
    await stage.settle();
    await stage.database.query('t-other', "UPDATE attempt SET adapter = 'sms-smpp' WHERE message = $1", [message]);
    await stage.start();
    await stage.reaches(message, 'its end', (events) => events.includes('attempt.ended rcs-main permanent'));
    expect(await stage.sent('rbm')).toEqual([]);
    const [ended] = await stage.eventsOf(message, 'attempt.ended');
    expect(ended?.reason).toBe('vendor-has-other-adapter');
  });

  test('late reports count only while no other dispatcher has taken the try over', async () => {
    const alice = await stage.recipient('alice');
    await stage.accept(alice, { forms: ['rcs-main'] });
    await stage.settle();
    stage.clock.advance(2000);
    await stage.settle();
    const { database, clock } = stage;
    const [mine] = await claimAttempts(database, 'one', 10, clock.now());
    expect(await claimAttempts(database, 'two', 10, clock.now())).toEqual([]);
    clock.advance(LEASE_MS / 2);
    await renewLeases(database, [mine!.lease], clock.now());
    clock.advance((LEASE_MS * 3) / 4);
    expect(await claimAttempts(database, 'two', 10, clock.now())).toEqual([]);
    clock.advance(LEASE_MS);
    const [theirs] = await claimAttempts(database, 'two', 10, clock.now());
    expect(theirs?.attempt?.interrupted).toBe(true);
    const outcome = { kind: 'permanent', reason: 'x' } as const;
    expect(await reportOutcome(database, mine!.lease, outcome, clock.now())).toBe(false);
    expect(await reportOutcome(database, theirs!.lease, outcome, clock.now())).toBe(true);
    expect(await reportOutcome(database, theirs!.lease, outcome, clock.now())).toBe(false);
    expect(await stage.count('attempt_outcome')).toBe(1);
  });

  test('a report repeated because its answer was lost does not count for the retry it has caused', async () => {
    const alice = await stage.recipient('alice');
    const { message } = await stage.accept(alice, { forms: ['rcs-main'] });
    await stage.settle();
    stage.clock.advance(2000);
    await stage.settle();
    const { database, clock } = stage;
    const [mine] = await claimAttempts(database, 'one', 10, clock.now());
    const outcome = { kind: 'retry-after', afterMs: 0, reason: 'x' } as const;
    expect(await reportOutcome(database, mine!.lease, outcome, clock.now())).toBe(true);
    await stage.settle();
    expect(await reportOutcome(database, mine!.lease, outcome, clock.now())).toBe(false);
    expect(await stage.count('attempt_outcome')).toBe(0);
    expect(await stage.eventsOf(message, 'attempt.started')).toHaveLength(2);
    expect(await stage.eventsOf(message, 'attempt.ended')).toHaveLength(1);
  });

  test('that cannot start leaves no connection to database or provider behind', async () => {
    // Nothing but the one that fails may have connections of this role: a pool that works grows when it likes.
    const blocker = createServer().listen(Number(new URL(stage.url).port), '127.0.0.1');
    await once(blocker, 'listening');
    const connections = () =>
      stage.database.query('t-connections', 'SELECT 1 FROM pg_stat_activity WHERE usename = $1', [stage.role]);
    try {
      await expect(stage.start()).rejects.toMatchObject({ code: 'EADDRINUSE' });
      await until(async () => (await connections()).length === 0, 'its connections are closed');
      await until(async () => (await stage.bound()) === 0, 'its bind is closed');
    } finally {
      blocker.close();
    }
  });

  test('may read attempts, add what became of them and what people say, keep circuits and rates, and has no other right in the gateway’s database', async () => {
    await stage.start();
    const guest = openDatabase(stage.guest);
    try {
      const tables = await stage.database.query<{ name: string }>(
        't-tables',
        "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename",
      );
      const allowed: string[] = [];
      for (const { name } of tables) {
        const [row] = await stage.database.query<Record<string, boolean>>(
          't-privileges',
          `SELECT has_any_column_privilege($1, $2, 'SELECT') AS "select", has_any_column_privilege($1, $2, 'INSERT') AS "insert",
             has_any_column_privilege($1, $2, 'UPDATE') AS "update", has_table_privilege($1, $2, 'DELETE') AS "delete",
             has_table_privilege($1, $2, 'TRUNCATE') AS "truncate", has_any_column_privilege($1, $2, 'REFERENCES') AS "references"`,
          [stage.role, name],
        );
        for (const [verb, may] of Object.entries(row!)) if (may) allowed.push(`${verb} ${name}`);
      }
      expect(allowed).toEqual([
        'select attempt',
        'update attempt',
        'insert attempt_outcome',
        ...['select', 'insert', 'update', 'delete'].map((verb) => `${verb} capability`),
        'insert inbound',
        'insert provider_receipt',
        ...['select', 'insert', 'update', 'delete'].map((verb) => `${verb} rate`),
        'select vendor_closed',
        ...['select', 'insert', 'update', 'delete'].map((verb) => `${verb} vendor_health`),
      ]);
      for (const table of [
        'envelope',
        'lane_event',
        'device',
        'device_queue',
        'conversation',
        'provider_message',
        'attempt_outcome',
        'inbound',
      ])
        await expect(guest.query(`t-${table}`, `SELECT * FROM ${table}`), table).rejects.toMatchObject({
          code: '42501',
        });
      for (const column of ['part', 'channel', 'vendor', 'task', 'limits', 'floor', 'expires', 'available_at', 'try'])
        await expect(
          guest.query(`t-set-${column}`, `UPDATE attempt SET ${column} = NULL`),
          column,
        ).rejects.toMatchObject({
          code: '42501',
        });
      await expect(guest.query('t-make', 'CREATE TABLE mine (x int)')).rejects.toMatchObject({ code: '42501' });
    } finally {
      await guest.close();
    }
  });
});
