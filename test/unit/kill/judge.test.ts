/** The judge of the kill harness on histories made by hand: it must be able to find each thing it looks for. */
import { describe, expect, test } from 'vitest';
import { eventSchema, type LogEvent } from '../../../packages/protocol/src/index.ts';
import type { History, Logged } from '../../kill/history.ts';
import { judge } from '../../kill/judge.ts';

const ids = (digit: string) => `0190a000-0000-7000-8000-00000000000${digit}`;
const [FIRST, SECOND, STRANGER] = [ids('1'), ids('2'), ids('3')];
const ATTEMPTS = ['1', '2'].map((digit) => `0190a000-0000-4000-9000-00000000000${digit}`);
const [BY_RCS, BY_SMS] = ATTEMPTS as [string, string];
const DEVICE = `dev_${'d'.repeat(22)}`;
const CONVERSATION = `con_${'c'.repeat(22)}`;
const HASH = 'A'.repeat(43);

let sequence = 0;
function logged(event: Record<string, unknown>): Logged {
  sequence += 1;
  return { lane: 7, sequence, event: eventSchema.parse({ v: 1, at: 1, ...event }) };
}

const accepted = (message: string) =>
  logged({
    kind: 'message.accepted',
    message,
    envelope: HASH,
    conversation: CONVERSATION,
    recipient: 'dave',
    flow: 'rcs-0',
    bundle: 1,
    floor: 'e2ee',
    expires: 2,
    commitment: HASH,
  });
const started = (message: string, attempt: string, channel: string) =>
  logged({ kind: 'attempt.started', message, attempt, channel, step: 1, try: 1 });
const ended = (message: string, attempt: string, channel: string, outcome: string) =>
  logged({ kind: 'attempt.ended', message, attempt, channel, step: 1, outcome, reason: outcome });
const reported = (message: string, attempt: string, channel: string) =>
  logged({
    kind: 'receipt.provider',
    message,
    attempt,
    channel,
    step: 1,
    status: 'delivered',
    code: '',
    effect: 'counted',
  });
const byDevice = (message: string) =>
  (['delivered', 'read', 'acknowledged'] as const).map((receipt) =>
    logged({ kind: 'receipt.device', message, device: DEVICE, receipt, jws: 'x' }),
  );
const over = (message: string) => logged({ kind: 'message.ended', message, state: 'read', reason: 'read-by-device' });

const promise = (order: number, message: string, notice: string) => ({
  key: `key-${order}`,
  message,
  sender: 'sender-0',
  order,
  member: 'dave',
  notice,
});
const show = (message: string, subject: string) => ({
  device: DEVICE,
  message,
  conversation: CONVERSATION,
  subject,
  state: 'acknowledged' as const,
});

const told = (event: string, text: string) => ({ event, text });

/** Two messages to dave, whose device was away: one announced over RCS, one by SMS; both as they should be. */
function sound(): History {
  sequence = 0;
  return {
    people: [{ member: 'dave', phone: '+491', device: DEVICE, online: false }],
    deduplicating: ['rcs-main'],
    promised: [promise(0, FIRST, 'rcs-main'), promise(1, SECOND, 'sms-main')],
    logged: [
      accepted(FIRST),
      accepted(SECOND),
      started(FIRST, BY_RCS, 'rcs-main'),
      started(SECOND, BY_SMS, 'sms-main'),
      ended(FIRST, BY_RCS, 'rcs-main', 'accepted'),
      ended(SECOND, BY_SMS, 'sms-main', 'accepted'),
      reported(FIRST, BY_RCS, 'rcs-main'),
      reported(SECOND, BY_SMS, 'sms-main'),
      ...byDevice(FIRST),
      over(FIRST),
      ...byDevice(SECOND),
      over(SECOND),
    ],
    shown: [show(FIRST, 'key-0'), show(SECOND, 'key-1')],
    effects: [
      { channel: 'rcs-main', id: BY_RCS, phone: '+491' },
      { channel: 'sms-main', id: '0a01', phone: '+491' },
    ],
    named: [{ channel: 'sms-main', id: '0a01', attempt: BY_SMS }],
    // Told twice, after a lost answer: one event all the same.
    replies: { written: ['Reply 1'], told: [told('e1', 'Reply 1'), told('e1', 'Reply 1')] },
  };
}

const without = (history: History, drop: (event: LogEvent) => boolean): History => ({
  ...history,
  logged: history.logged.filter(({ event }) => !drop(event)),
});
const aboutBySms = (kind: LogEvent['kind']) => (event: LogEvent) =>
  event.kind === kind && 'attempt' in event && event.attempt === BY_SMS;
/** The try by SMS was cut off and flagged, and its provider's name never heard. */
function flagged(): History {
  const { logged: events, ...rest } = without(sound(), (event) => aboutBySms('receipt.provider')(event));
  const cut = events.map((entry) =>
    aboutBySms('attempt.ended')(entry.event) ? ended(SECOND, BY_SMS, 'sms-main', 'ambiguous') : entry,
  );
  return { ...rest, logged: cut, named: [] };
}

test('a history in which everything happened once and in order has no finding', () => {
  expect(judge(sound())).toEqual({ lost: [], doubled: [], reordered: [], ambiguous: [] });
});

test('a message that was asked for twice and answered alike is one promise', () => {
  const history = sound();
  expect(judge({ ...history, promised: [...history.promised, history.promised[0]!] }).doubled).toEqual([]);
});

describe('lost', () => {
  const cases: readonly [string, (history: History) => History, string][] = [
    [
      'a promise the log knows nothing of',
      (history) => without(history, (event) => event.kind === 'message.accepted' && event.message === FIRST),
      FIRST,
    ],
    [
      'a reply nobody was told of',
      (history) => ({ ...history, replies: { written: ['Reply 1', 'Reply 2'], told: history.replies.told } }),
      'Reply 2',
    ],
    ['a message its device never got', (history) => ({ ...history, shown: history.shown.slice(1) }), FIRST],
    [
      'a message that cannot be read',
      (history) => ({ ...history, shown: [show(FIRST, ''), show(SECOND, 'key-1')] }),
      FIRST,
    ],
    [
      'a notice nobody tried',
      (history) => without(history, (event) => 'attempt' in event && event.attempt === BY_SMS),
      SECOND,
    ],
    ['a try that was never reported', (history) => without(history, aboutBySms('attempt.ended')), SECOND],
    [
      'an attempt a provider accepted and never brought',
      (history) => ({ ...history, effects: history.effects.slice(0, 1) }),
      SECOND,
    ],
    ['a provider’s receipt', (history) => without(history, aboutBySms('receipt.provider')), BY_SMS],
    [
      'a device’s receipt',
      (history) => without(history, (event) => event.kind === 'receipt.device' && event.receipt === 'read'),
      FIRST,
    ],
  ];
  test.each(cases)('%s is found', (_what, broken, of) => {
    expect(judge(broken(sound())).lost).toContainEqual(expect.objectContaining({ of }));
  });
});

describe('doubled', () => {
  const cases: readonly [string, (history: History) => History, string][] = [
    [
      'a reply that became two events',
      (history) => ({
        ...history,
        replies: { ...history.replies, told: [told('e1', 'Reply 1'), told('e2', 'Reply 1')] },
      }),
      'Reply 1',
    ],
    [
      'two messages for one key',
      (history) => ({ ...history, promised: [...history.promised, promise(0, STRANGER, 'rcs-main')] }),
      STRANGER,
    ],
    [
      'a message nobody was promised',
      (history) => ({ ...history, logged: [...history.logged, accepted(STRANGER)] }),
      STRANGER,
    ],
    ['a message shown twice', (history) => ({ ...history, shown: [...history.shown, show(SECOND, 'key-1')] }), SECOND],
    [
      'the same content under two messages',
      (history) => ({ ...history, shown: [...history.shown, show(STRANGER, 'key-1')] }),
      STRANGER,
    ],
    ['a message that ended twice', (history) => ({ ...history, logged: [...history.logged, over(FIRST)] }), FIRST],
    [
      'a second effect of one attempt where the provider deduplicates',
      (history) => ({ ...history, effects: [...history.effects, history.effects[0]!] }),
      FIRST,
    ],
    [
      'a second effect of an attempt under two names',
      (history) => ({
        ...history,
        effects: [...history.effects, { channel: 'sms-main', id: '0a02', phone: '+491' }],
        named: [...history.named, { channel: 'sms-main', id: '0a02', attempt: BY_SMS }],
      }),
      BY_SMS,
    ],
    [
      'an effect no attempt was flagged for',
      (history) => ({ ...history, effects: [...history.effects, { channel: 'sms-main', id: '0a02', phone: '+491' }] }),
      '+491',
    ],
  ];
  test.each(cases)('%s is found', (_what, broken, of) => {
    expect(judge(broken(sound())).doubled).toContainEqual(expect.objectContaining({ of }));
  });
});

describe('ambiguous', () => {
  test('one effect of a flagged attempt is no double, and the attempt is named', () => {
    expect(judge(flagged())).toEqual({ lost: [], doubled: [], reordered: [], ambiguous: [BY_SMS] });
  });

  test('a second effect of a flagged attempt is a double nobody flagged', () => {
    const history = flagged();
    const effects = [...history.effects, { channel: 'sms-main', id: '0a02', phone: '+491' }];
    expect(judge({ ...history, effects }).doubled).toHaveLength(1);
  });

  test('where the provider deduplicates an unheard answer is nothing to flag', () => {
    const history = sound();
    const unheard = history.logged.toSpliced(4, 0, ended(FIRST, BY_RCS, 'rcs-main', 'ambiguous'));
    const again = unheard.toSpliced(5, 0, started(FIRST, BY_RCS, 'rcs-main'));
    expect(judge({ ...history, logged: again }).ambiguous).toEqual([]);
  });
});

describe('reordered', () => {
  test('a message that stands in the log before one its sender sent earlier is found', () => {
    const history = sound();
    const [first, second] = history.promised as [History['promised'][number], History['promised'][number]];
    const promised = [
      { ...first, order: 1 },
      { ...second, order: 0 },
    ];
    expect(judge({ ...history, promised }).reordered).toEqual([expect.objectContaining({ of: FIRST })]);
  });

  test('a message a device shows after one that is later in the log is found', () => {
    const history = sound();
    const shown = history.shown.toReversed();
    expect(judge({ ...history, shown }).reordered).toEqual([expect.objectContaining({ of: FIRST })]);
  });
});
