/**
 * What providers say afterwards: duplicate, early, late, unknown and forged receipts, and ids in every spelling. Each ends
 * in a state the log or the database shows.
 */
import { createHmac } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Recipient } from '../delivery/bench.ts';
import { CLIENT_TOKEN, createStage, type Stage, told } from './stage.ts';

const DAY = 86_400_000;

describe('receipts of providers', () => {
  let stage: Stage;
  let number = 0;
  beforeAll(async () => {
    // The SMSC answers ids in hexadecimal and writes them in decimal into receipts.
    stage = await createStage({ smsc: { idDialect: 'hex-then-decimal' } });
    await stage.start();
  });
  afterEach(() => stage.clearFaults());
  afterAll(() => stage[Symbol.asyncDispose]());

  const someone = (): Promise<Recipient> => {
    number += 1;
    return stage.recipient(`person-${number}`, `+49151200000${String(number).padStart(2, '0')}`);
  };
  const noticeBy = async (channel: 'rcs-main' | 'sms-main', to: Recipient, after: number) => {
    const { message } = await stage.accept(to, { forms: [channel] });
    await stage.settle();
    stage.clock.advance(after);
    await stage.settle();
    return message;
  };
  const parked = () => stage.count('provider_receipt');
  const post = (channel: string, body: string, signature?: string) =>
    fetch(`${stage.url}/webhooks/${channel}`, {
      method: 'POST',
      body,
      headers: {
        'content-type': 'application/json',
        ...(signature === undefined ? {} : { 'x-goog-signature': signature }),
      },
    });
  const eventFor = (messageId: string, eventType = 'DELIVERED') => {
    const data = JSON.stringify({
      senderPhoneNumber: '+4915112345678',
      eventType,
      messageId,
      agentId: 'acme-incidents',
    });
    const body = JSON.stringify({ message: { data: Buffer.from(data).toString('base64') } });
    return { body, signature: createHmac('sha512', CLIENT_TOKEN).update(data).digest('base64') };
  };

  test('the same receipt twice counts once and is recorded as a duplicate', async () => {
    await stage.fault('rbm', 'duplicate-receipt');
    const message = await noticeBy('rcs-main', await someone(), 2000);
    await stage.reaches(message, 'both', (events) => events.includes('receipt.provider rcs-main delivered duplicate'));
    expect(await stage.eventsOf(message, 'receipt.provider')).toMatchObject([
      { effect: 'counted' },
      { effect: 'duplicate' },
    ]);
  });

  test('a receipt that comes before the answer to the sending counts once the answer is known', async () => {
    await stage.fault('smsc', 'early-receipt');
    const message = await noticeBy('sms-main', await someone(), 4000);
    await stage.reaches(message, 'the receipt', (events) =>
      events.includes('receipt.provider sms-main delivered counted'),
    );
    expect(await parked()).toBe(0);
  });

  test('a receipt after the end is recorded as late and changes nothing', async () => {
    await stage.fault('rbm', 'late-receipt');
    const message = await noticeBy('rcs-main', await someone(), 2000);
    await stage.reaches(message, 'accepted', (events) => events.includes('attempt.ended rcs-main accepted'));
    stage.clock.advance(4 * 3_600_000);
    await stage.settle();
    expect((await stage.events(message)).map(told)).toContain('message.ended expired');
    await stage.clearFaults();
    await stage.reaches(message, 'the late receipt', (events) =>
      events.includes('receipt.provider rcs-main delivered late'),
    );
    expect(await stage.eventsOf(message, 'message.ended')).toHaveLength(1);
  });

  test('a receipt of no known message is parked for a day, is no event, and then goes', async () => {
    const { body, signature } = eventFor(stage.clock.uuid());
    expect((await post('rcs-main', body, signature)).status).toBe(200);
    await stage.settle();
    expect(await parked()).toBe(1);
    stage.clock.advance(DAY - 3_600_000);
    await stage.settle();
    expect(await parked()).toBe(1);
    stage.clock.advance(2 * 3_600_000);
    await stage.settle();
    expect(await parked()).toBe(0);
  });

  test('a forged webhook is answered 401 and leaves everything as it was', async () => {
    const message = await noticeBy('rcs-main', await someone(), 2000);
    await stage.reaches(message, 'the receipt', (events) =>
      events.includes('receipt.provider rcs-main delivered counted'),
    );
    const [started] = await stage.eventsOf(message, 'attempt.started');
    const before = await stage.events(message);
    const { body, signature } = eventFor(started!.attempt, 'READ');
    const wrong = createHmac('sha512', 'not the token').update(body).digest('base64');
    expect(signature).not.toBe(wrong);
    for (const forged of [undefined, '', wrong]) {
      const answer = await post('rcs-main', body, forged);
      expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([401, 'ERR_WEBHOOK_FORGED']);
    }
    await stage.settle();
    expect([await parked(), await stage.events(message)]).toEqual([0, before]);
  });

  test('webhooks for a channel without any, and in no published form, are refused by code', async () => {
    const code = async (answer: Response) => `${answer.status} ${((await answer.json()) as { code: string }).code}`;
    expect(await code(await post('sms-main', '{}'))).toBe('404 ERR_WEBHOOK_CHANNEL');
    expect(await code(await post('nobody', '{}'))).toBe('404 ERR_WEBHOOK_CHANNEL');
    expect(await code(await post('rcs-main', 'not json'))).toBe('400 ERR_WEBHOOK_MALFORMED');
  });

  test('an authentic event that says nothing to us is answered 200, or the provider would repeat it for days', async () => {
    const { body, signature } = eventFor(stage.clock.uuid(), 'IS_TYPING');
    expect((await post('rcs-main', body, signature)).status).toBe(200);
    expect(await parked()).toBe(0);
  });
});
