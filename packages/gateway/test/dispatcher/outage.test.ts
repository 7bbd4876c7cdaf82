/** A provider goes away: the other vendor of the channel takes over, through real adapters. */
import type { CompiledFlow, MessageId } from '@sealpost/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FAILURES_TO_OPEN, FIRST_COOL_DOWN } from '../../src/dispatcher/circuit.ts';
import { FLOW } from '../delivery/fixtures.ts';
import { createStage, type Stage } from './stage.ts';

/** One channel, and behind it a provider that is nearly always chosen and one for when it is not. */
const TWO_VENDORS = {
  ...FLOW,
  ladder: [
    FLOW.ladder[0],
    {
      ...{ channel: 'main', adapter: 'rcs-google', use: 'notice', after: 2000 },
      vendors: [
        { vendor: 'rcs-main', adapter: 'rcs-google', weight: 1000 },
        { vendor: 'sms-main', adapter: 'sms-smpp', weight: 0 },
      ],
    },
  ],
} as unknown as CompiledFlow;

describe('an outage of one of two vendors', () => {
  let stage: Stage;
  let number = 0;
  beforeEach(async () => {
    stage = await createStage();
    stage.useFlow(TWO_VENDORS);
    await stage.start();
  });
  afterEach(() => stage[Symbol.asyncDispose]());

  const notify = async (): Promise<MessageId> => {
    number += 1;
    const to = await stage.recipient(`person-${number}`, `+49151300000${String(number).padStart(2, '0')}`);
    const { message } = await stage.accept(to, { forms: ['main'] });
    await stage.settle();
    stage.clock.advance(2000);
    return message;
  };
  const arrives = (message: MessageId) =>
    stage.reaches(message, 'the receipt', (events) => events.includes('receipt.provider main delivered counted'));
  const triedBy = async (message: MessageId) =>
    (await stage.eventsOf(message, 'attempt.started')).map(({ vendor }) => vendor);

  test('moves its traffic to the other, the timeline names both, and it returns when the provider is back', async () => {
    const before = await notify();
    await arrives(before);
    expect(await triedBy(before)).toEqual(['rcs-main']);

    await stage.fault('rbm', '503');
    const during: MessageId[] = [];
    for (let count = 0; count <= FAILURES_TO_OPEN; count += 1) {
      const message = await notify();
      during.push(message);
      await stage.reaches(message, 'another try', (events) => {
        stage.clock.advance(200);
        return events.includes('receipt.provider main delivered counted');
      });
    }
    const [first, last] = [await triedBy(during[0]!), await triedBy(during.at(-1)!)];
    expect([first[0], first.at(-1)]).toEqual(['rcs-main', 'sms-main']);
    expect(last.at(-1)).toBe('sms-main');
    for (const message of during) {
      const ended = await stage.eventsOf(message, 'attempt.ended');
      expect(ended.filter(({ outcome }) => outcome === 'accepted')).toHaveLength(1);
    }

    await stage.clearFaults();
    stage.clock.advance(FIRST_COOL_DOWN * 2 ** 6);
    const after = await notify();
    await arrives(after);
    expect((await triedBy(after)).at(-1)).toBe('rcs-main');
  });
});
