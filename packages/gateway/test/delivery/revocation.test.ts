/** Taking a message back, on the real log, queues and tables: nothing more goes out, and providers are told where they can. */
import { messageIdSchema } from '@sealpost/protocol';
import type { Report } from '@sealpost/protocol/carriage';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { claimAttempts, reportOutcome } from '../../src/dispatcher/claims.ts';
import { createDeliveryBench, type DeliveryBench } from './bench.ts';

const ACCEPTED: Report = { kind: 'accepted', providerMessageId: 'rcs-1' };
const REVOKED: Report = { kind: 'taken-back', result: { kind: 'revoked' } };

describe('revocation', () => {
  let bench: DeliveryBench;
  beforeEach(async () => {
    bench = await createDeliveryBench();
  });
  afterEach(() => bench[Symbol.asyncDispose]());

  /** Accepted, and its step of this number taken. */
  const sent = async (ms = 2000) => {
    const { message } = await bench.accept(await bench.recipient('alice'));
    await bench.settle();
    bench.clock.advance(ms);
    await bench.settle();
    return message;
  };
  const claim = () => claimAttempts(bench.database, 'dispatcher', 10, bench.clock.now());
  const claimed = async () => {
    const [one] = await claim();
    if (one?.attempt === undefined) throw new Error('nothing was to be claimed');
    return { ...one, attempt: one.attempt };
  };
  const report = async (lease: { readonly id: string; readonly epoch: number }, told: Report) => {
    expect(await reportOutcome(bench.database, lease, told, bench.clock.now())).toBe(true);
    await bench.settle();
  };
  const kinds = async (message: Awaited<ReturnType<typeof sent>>) =>
    (await bench.events(message)).map(({ kind }) => kind).slice(-4);

  test('ends the message as revoked, once, and says so to who asks again', async () => {
    const message = await sent(0);
    expect(await bench.delivery.revoke(message, 'application:it')).toEqual({ outcome: 'done', state: 'revoked' });
    expect(await bench.delivery.revoke(message, 'application:it')).toEqual({ outcome: 'already', state: 'revoked' });
    expect(await bench.eventsOf(message, 'message.revoked')).toMatchObject([{ by: 'application:it' }]);
    expect(await bench.eventsOf(message, 'message.ended')).toMatchObject([{ state: 'revoked' }]);
    bench.clock.advance(10_000);
    await bench.settle();
    expect(await bench.eventsOf(message, 'attempt.started')).toEqual([]);
    expect([await bench.count('timer'), await bench.count('attempt')]).toEqual([0, 0]);
  });

  test('a message that had ended answers what it ended as, and nothing changes', async () => {
    const message = await sent(0);
    bench.clock.advance(15_000_000);
    await bench.settle();
    const before = await bench.events(message);
    expect(await bench.delivery.revoke(message, 'application:it')).toEqual({ outcome: 'ended', state: 'expired' });
    expect(await bench.events(message)).toEqual(before);
  });

  test('a message nobody knows is not there', async () => {
    const unknown = messageIdSchema.parse('01a2b3c4-d5e6-7f80-8123-456789abcdef');
    await expect(bench.delivery.revoke(unknown, 'x')).rejects.toMatchObject({ code: 'ERR_DELIVERY_MESSAGE' });
  });

  test('leaves the queue of a device that has not fetched it, and not of one that has', async () => {
    const first = await sent(0);
    const second = await sent(0);
    await bench.database.query('t-fetch', 'UPDATE device_queue SET cursor = 1 WHERE message = $1', [second]);
    await bench.delivery.revoke(first, 'x');
    await bench.delivery.revoke(second, 'x');
    const left = await bench.database.query<{ message: string }>(
      't-left',
      "SELECT message FROM device_queue WHERE kind = 'envelope'",
    );
    expect(left).toEqual([{ message: second }]);
  });

  test('before the acceptance was decided it still ends, and no step is taken', async () => {
    const { message } = await bench.accept(await bench.recipient('alice'));
    expect(await bench.delivery.revoke(message, 'x')).toEqual({ outcome: 'done', state: 'revoked' });
    await bench.settle();
    expect(await bench.eventsOf(message, 'route.step')).toEqual([]);
    expect(await bench.count('device_queue')).toBe(0);
  });

  test('what a provider accepted is told to it, by its own name and with its form, and the answer is on the timeline', async () => {
    const message = await sent();
    await report((await claimed()).lease, ACCEPTED);
    await bench.delivery.revoke(message, 'x');
    const task = await claimed();
    expect(task.attempt).toMatchObject({ task: 'revoke', provider_id: 'rcs-1', vendor: 'rcs-main' });
    expect(task.attempt.part).toBeDefined();
    await report(task.lease, REVOKED);
    expect(await kinds(message)).toEqual(['message.revoked', 'attempt.asked', 'message.ended', 'attempt.taken-back']);
    expect(await bench.eventsOf(message, 'attempt.taken-back')).toMatchObject([{ result: 'revoked' }]);
    expect([await bench.count('attempt'), await bench.count('timer')]).toEqual([0, 0]);
  });

  test('a try that waits is claimed without its form, and nothing of it is left', async () => {
    const message = await sent();
    await bench.delivery.revoke(message, 'x');
    const withdrawn = await claimed();
    expect(withdrawn.attempt).toMatchObject({ task: 'send', part: undefined });
    await report(withdrawn.lease, { kind: 'permanent', reason: 'withdrawn' });
    expect(await bench.eventsOf(message, 'attempt.asked')).toEqual([]);
    expect([await bench.count('attempt'), await bench.count('timer')]).toEqual([0, 0]);
  });

  test('a try under way is told back once it is reported as taken', async () => {
    const message = await sent();
    const under = await claimed();
    await bench.delivery.revoke(message, 'x');
    expect(await claim()).toEqual([]);
    await report(under.lease, ACCEPTED);
    const task = await claimed();
    expect(task.attempt).toMatchObject({ task: 'revoke', provider_id: 'rcs-1' });
    expect(task.attempt.part).toBeDefined();
    await report(task.lease, { kind: 'taken-back', result: { kind: 'too-late', reason: 'DELIVERED' } });
    expect(await bench.eventsOf(message, 'attempt.taken-back')).toMatchObject([{ result: 'too-late' }]);
    expect(await bench.count('attempt')).toBe(0);
  });

  test('a provider that asks to wait is told again, for an hour at most', async () => {
    const message = await sent();
    await report((await claimed()).lease, ACCEPTED);
    await bench.delivery.revoke(message, 'x');
    await report((await claimed()).lease, {
      kind: 'taken-back',
      result: { kind: 'retry-after', afterMs: 5000, reason: '429' },
    });
    expect(await claim()).toEqual([]);
    bench.clock.advance(5000);
    expect((await claimed()).attempt.task).toBe('revoke');
    bench.clock.advance(3_600_000);
    await bench.settle();
    expect((await bench.eventsOf(message, 'attempt.taken-back')).map(({ reason }) => reason)).toEqual([
      '429',
      'unanswered-in-time',
    ]);
    const forms = await bench.database.query(
      't-forms',
      'SELECT 1 FROM attempt WHERE part IS NOT NULL OR kept IS NOT NULL',
    );
    expect(forms).toEqual([]);
  });

  test('an SMS that was accepted is left alone: no SMSC here takes anything back', async () => {
    const { message } = await bench.accept(await bench.recipient('alice'), { forms: ['sms-main'] });
    await bench.settle();
    bench.clock.advance(4000);
    await bench.settle();
    await report((await claimed()).lease, ACCEPTED);
    await bench.delivery.revoke(message, 'x');
    expect(await bench.eventsOf(message, 'attempt.asked')).toEqual([]);
    expect(await bench.count('attempt')).toBe(0);
  });
});
