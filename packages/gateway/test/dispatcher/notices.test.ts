/** Messages whose recipient has no device at hand: notices by RCS and SMS, through real adapters to simulated carriers. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NOTICE, type Recipient, until } from '../delivery/bench.ts';
import { deviceReceipt } from '../delivery/receipts.ts';
import { createStage, type Stage, told } from './stage.ts';

describe('notices', () => {
  let stage: Stage;
  let number = 0;
  beforeAll(async () => {
    stage = await createStage();
    await stage.start();
  });
  afterAll(() => stage[Symbol.asyncDispose]());

  const someone = (): Promise<Recipient> => {
    number += 1;
    return stage.recipient(`person-${number}`, `+49151100000${String(number).padStart(2, '0')}`);
  };
  const story = async (message: Parameters<Stage['events']>[0]) => (await stage.events(message)).map(told);

  test('a notice goes out by RCS when its time has come, its signed receipt counts, and the SMS is left out', async () => {
    const alice = await someone();
    const { message } = await stage.accept(alice);
    await stage.settle();
    expect(await story(message)).toEqual(['message.accepted', 'route.step app taken']);
    stage.clock.advance(2000);
    await stage.reaches(message, 'the receipt', (events) =>
      events.includes('receipt.provider rcs-main delivered counted'),
    );
    stage.clock.advance(2000);
    await stage.settle();
    const told = await story(message);
    expect(told.filter((event) => !event.startsWith('receipt') && !event.startsWith('attempt.ended'))).toEqual([
      'message.accepted',
      'route.step app taken',
      'route.step rcs-main taken',
      'attempt.started rcs-main',
      'route.step sms-main skipped notice-delivered',
    ]);
    expect(told).toContain('attempt.ended rcs-main accepted');
    const { messages } = await stage.phone(alice.address);
    expect(messages).toMatchObject([{ channel: 'rcs', text: NOTICE.text, url: NOTICE.url }]);
    await stage.read(alice.address);
    await stage.reaches(message, 'the read receipt', (events) =>
      events.includes('receipt.provider rcs-main read counted'),
    );
  });

  test('while RCS is down the SMS goes out at its own time, and once it is delivered the RCS retry is withdrawn', async () => {
    const bob = await someone();
    await stage.fault('rbm', '503');
    const { message } = await stage.accept(bob);
    await stage.settle();
    stage.clock.advance(2000);
    await stage.reaches(message, 'RCS fails', (events) => events.includes('attempt.ended rcs-main retry-after'));
    expect(await story(message)).toContain('attempt.started rcs-main');
    stage.clock.advance(2000);
    await stage.reaches(message, 'the SMS receipt', (events) =>
      events.includes('receipt.provider sms-main delivered counted'),
    );
    await stage.clearFaults();
    await stage.reaches(message, 'the retry is withdrawn', (events) =>
      events.includes('attempt.ended rcs-main permanent'),
    );
    stage.clock.advance(60_000);
    await stage.settle();
    expect((await stage.phone(bob.address)).messages).toMatchObject([{ channel: 'sms' }]);
    const ended = await stage.eventsOf(message, 'attempt.ended');
    expect(ended.at(-1)).toMatchObject({ channel: 'rcs-main', outcome: 'permanent', reason: 'withdrawn' });
  });

  test('a phone without RCS gets the SMS at once', async () => {
    const carol = await someone();
    await stage.phone(carol.address, { rcs: false });
    const { message } = await stage.accept(carol);
    await stage.settle();
    stage.clock.advance(2000);
    await stage.reaches(message, 'the SMS', (events) => events.includes('receipt.provider sms-main delivered counted'));
    expect(await story(message)).toContain('attempt.ended rcs-main downgrade');
  });

  test('a device that has the message before its time spares its owner every notice', async () => {
    const dave = await someone();
    const before = [...(await stage.sent('rbm')), ...(await stage.sent('smsc'))].length;
    const envelope = await stage.accept(dave);
    await stage.settle();
    const receipt = await deviceReceipt(stage, dave, envelope, 'delivered');
    expect(await stage.delivery.deviceReceipt(receipt, dave.person.device)).toEqual({ outcome: 'recorded' });
    stage.clock.advance(4000);
    await stage.settle();
    expect(await story(envelope.message)).toEqual([
      'message.accepted',
      'route.step app taken',
      'receipt.device delivered',
      'route.step rcs-main skipped delivered',
      'route.step sms-main skipped delivered',
    ]);
    expect([...(await stage.sent('rbm')), ...(await stage.sent('smsc'))]).toHaveLength(before);
  });

  test('a try that waits for its time is not made once a device has the message', async () => {
    const gus = await someone();
    await stage.fault('rbm', '503');
    const envelope = await stage.accept(gus);
    await stage.settle();
    stage.clock.advance(2000);
    await stage.reaches(envelope.message, 'RCS fails', (events) =>
      events.includes('attempt.ended rcs-main retry-after'),
    );
    await stage.delivery.deviceReceipt(await deviceReceipt(stage, gus, envelope, 'delivered'), gus.person.device);
    await stage.clearFaults();
    stage.clock.advance(60_000);
    await stage.reaches(envelope.message, 'the try is withdrawn', (events) =>
      events.includes('attempt.ended rcs-main permanent'),
    );
    expect((await stage.phone(gus.address)).messages).toEqual([]);
    expect(await story(envelope.message)).toContain('route.step sms-main skipped delivered');
  });

  test('expiry ends the message and takes carrier forms, attempts and timers with it', async () => {
    const erin = await someone();
    await stage.phone(erin.address, { online: false });
    const { message } = await stage.accept(erin);
    await stage.settle();
    stage.clock.advance(4000);
    await stage.reaches(
      message,
      'both attempts are accepted',
      (events) => events.filter((event) => /attempt.ended .* accepted/.test(event)).length === 2,
    );
    stage.clock.advance(4 * 3_600_000);
    await stage.reaches(message, 'the end', (events) => events.includes('message.ended expired'));
    const stripped = await stage.log.envelope(stage.database, message);
    expect(stripped?.parts.map(({ form }) => form)).toEqual(['device']);
    for (const table of ['attempt', 'timer', 'attempt_outcome', 'set_aside'])
      expect(await stage.count(table, message), table).toBe(0);
    await stage.reaches(message, 'the late receipts', (events) =>
      events.some((event) => /receipt.provider .* expired late/.test(event)),
    );
  });

  test('what carriers were sent is the flow’s notice and nothing else', async () => {
    const sent = [...(await stage.sent('rbm')), ...(await stage.sent('smsc'))];
    expect(sent.length).toBeGreaterThan(0);
    for (const { text } of sent) expect(text.split(/\s/).join(' ')).toBe(`${NOTICE.text} ${NOTICE.url}`);
  });

  test('a try that was under way when the message was read still reports, and its row goes', async () => {
    const fay = await someone();
    await stage.fault('rbm', 'slow', { delayMs: 1500, count: 1 });
    const envelope = await stage.accept(fay);
    await stage.settle();
    stage.clock.advance(2000);
    await stage.settle();
    await until(async () => {
      const rows = await stage.database.query(
        't-leased',
        'SELECT 1 FROM attempt WHERE message = $1 AND lease_owner IS NOT NULL',
        [envelope.message],
      );
      return rows.length === 1;
    }, 'the try is under way');
    await stage.delivery.deviceReceipt(await deviceReceipt(stage, fay, envelope, 'read'), fay.person.device);
    await stage.reaches(envelope.message, 'the report', (events) => events.includes('attempt.ended rcs-main accepted'));
    expect(await stage.count('attempt', envelope.message)).toBe(0);
  });
});
