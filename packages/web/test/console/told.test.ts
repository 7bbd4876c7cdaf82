/** The timeline in words: what people read of each event, and that no reason our own code gives is left without a sentence. */
import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { END_REASONS, receiptReason, STEP_REASONS, tryReason } from '../../src/console/timeline/reasons.ts';
import { duration, elapsed } from '../../src/console/timeline/states.ts';
import { tellTimeline } from '../../src/console/timeline/told.ts';
import { EVENTS, eventOf } from './small-log.ts';

const ROOT = `${import.meta.dirname}/../../../..`;
const ATTEMPT = '7f000000-0000-4000-8000-000000000001';
const told = (events: typeof EVENTS) =>
  tellTimeline(
    events.map((event, position) => ({ event, position })),
    'alice',
  );

/** What stands behind `reason:` or is returned as a reason in the sources named, as whole strings. */
function reasonsIn(pattern: string, expression: RegExp): string[] {
  const files = globSync(pattern, { cwd: ROOT }).filter((file) => !/webhook/.test(file));
  expect(files).not.toEqual([]);
  return files.flatMap((file) =>
    [...readFileSync(`${ROOT}/${file}`, 'utf8').matchAll(expression)].map(([, found = '']) => found),
  );
}

test('a message that was read is told in order, each event with its reason', () => {
  expect(told(EVENTS).map(({ sentence, why }) => `${sentence} ${why}`.trim())).toEqual([
    'The gateway stored the sealed message and promised it an entry in the log.',
    'Step 1: the sealed message by the app to alice’s devices. It is the first step of the ladder.',
    'Step 2: a notice without content by RCS to alice’s number. Its time had come and no device had confirmed the message.',
    'Try 1 by RCS was handed to the dispatcher.',
    'RCS: the provider took the notice.',
    'RCS: the provider says the notice reached the phone.',
    'Delivery has ended: read. A device of the recipient has read it. Nothing more is sent.',
  ]);
});

test('every reason of a ladder’s step and of an end has its sentence', () => {
  const steps = [
    ...reasonsIn('packages/gateway/src/modules/routing/step-decision.ts', /reason: '([a-z-]+)'/g),
    ...reasonsIn('packages/gateway/src/modules/routing/step-decision.ts', /skipped\('([a-z-]+)'\)/g),
    ...reasonsIn('packages/gateway/src/modules/routing/facts.ts', /'((?:vendor|no)-(?!failing)[a-z-]+)'/g),
  ];
  expect(new Set(steps).size).toBeGreaterThan(5);
  for (const reason of steps) expect([reason, STEP_REASONS[reason]]).not.toContain(undefined);
  const ends = reasonsIn(
    'packages/gateway/src/modules/delivery/machine.ts',
    /'((?:read-by|delivered-un|reached-no|notice-|no-|taken-back-by)[a-z-]+)'/g,
  );
  expect(new Set(ends)).toEqual(new Set(Object.keys(END_REASONS)));
});

test('every reason of the dispatcher and the adapters has its sentence', () => {
  const reasons = [
    ...reasonsIn('packages/gateway/src/dispatcher/{try,hurdles,attempt-loop}.ts', /reason: '([^']+)'/g),
    ...reasonsIn('packages/gateway/src/dispatcher/try.ts', /return '([^']+)'/g),
    ...reasonsIn('packages/channels/src/*/*.ts', /reason: '([^']+)'/g),
    ...reasonsIn('packages/channels/src/sms-smpp/*.ts', /destroy\('([^']+)'/g),
    ...reasonsIn('packages/channels/src/sms-smpp/status.ts', /'(ESME_\w+)'/g),
    ...['mismatch', 'key', 'malformed', 'not-authentic'].map((reason) => `form-${reason}`),
  ];
  expect(new Set(reasons).size).toBeGreaterThan(40);
  const bare = [...new Set(reasons)].filter((reason) => /reason given|: ESME_/.test(tryReason(reason)));
  expect(bare).toEqual([]);
});

test('reasons that carry a code are told with it, and an unknown one is shown as it stands', () => {
  expect(tryReason('connection ECONNREFUSED')).toBe(
    'The provider could not be reached (ECONNREFUSED); nothing had left us.',
  );
  expect(tryReason('503 UNAVAILABLE')).toBe('The provider answered 503 UNAVAILABLE.');
  expect(tryReason('after part 2: response timeout')).toBe(
    'Part 2 was taken; then: The SMS centre did not answer in time.',
  );
  expect(tryReason('command_status 0x00000400')).toContain('0x00000400');
  expect(tryReason('something new')).toBe('The reason given is “something new”.');
  expect(receiptReason('DELIVRD 000')).toBe('');
  expect(receiptReason('UNDELIV 069')).toBe('The SMS centre cannot deliver it. The network’s error is 069.');
  expect(receiptReason('NEVER_SEEN')).toBe('The reason given is “NEVER_SEEN”.');
});

test('what failed says so, a withdrawn try is no failure, and a late receipt changes nothing', () => {
  const channel = { step: 1, attempt: ATTEMPT, channel: 'rcs-main' };
  const step = EVENTS[2]!;
  const [, failed, withdrawn, late] = told([
    step,
    eventOf('attempt.ended', 3, { ...channel, outcome: 'downgrade', reason: '404 NOT_FOUND' }),
    eventOf('attempt.ended', 4, { ...channel, outcome: 'permanent', reason: 'withdrawn' }),
    eventOf('receipt.provider', 5, { ...channel, status: 'delivered', code: 'DELIVERED', effect: 'late' }),
  ]);
  expect(failed).toMatchObject({ tone: 'warn', why: 'The provider answered 404 NOT_FOUND.' });
  expect(withdrawn).toMatchObject({ tone: 'plain', sentence: 'The try by RCS was withdrawn.' });
  expect(late).toMatchObject({ why: 'It came after the end; it changed nothing.' });
});

test('a skipped step says that it was skipped, and an event of another kind is named', () => {
  const skipped = { ...EVENTS[2]!, decision: 'skipped', reason: 'delivered' } as (typeof EVENTS)[number];
  expect(told([skipped])[0]!.sentence).toBe('Step 2, skipped: a notice without content by RCS to alice’s number.');
  const unknown = { ...EVENTS[2]!, reason: 'brand-new' } as (typeof EVENTS)[number];
  expect(told([unknown])[0]!.why).toBe('The reason given is “brand-new”.');
});

test('times are told as short as they can be told apart', () => {
  const after = (ms: number) => elapsed(1000, 1000 + ms);
  expect([after(0), after(40), after(2040), after(65_000), after(7_260_000)]).toEqual([
    'at once',
    'after 40 ms',
    'after 2.0 s',
    'after 1 min 5 s',
    'after 2 h 1 min',
  ]);
  expect([duration(0), duration(4000), duration(90_000), duration(14_400_000)]).toEqual([
    'at once',
    '4 s',
    '1 min 30 s',
    '4 h',
  ]);
});
