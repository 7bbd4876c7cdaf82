/**
 * Log lines: one JSON object an event, and in it only the members on the list. These tests write to a string and look
 * for what must not be there (STYLE 4.6).
 */
import { expect, test } from 'vitest';
import { createLogger, type Fields, LEVELS, type Level } from '../src/index.ts';

function listen(level?: Level) {
  const written: string[] = [];
  const logger = createLogger('gateway', level, { write: (line) => void written.push(line) });
  return { logger, written, lines: () => written.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

test('a line is one JSON object with time, service, event and the fields given', () => {
  const { logger, written, lines } = listen();
  logger.info('lane taken', { lane: 3, state: 'open' });
  expect(written.join('').split('\n')).toHaveLength(2);
  const [line] = lines();
  expect(line).toMatchObject({ service: 'gateway', event: 'lane taken', lane: 3, state: 'open' });
  expect(line?.time).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  expect(Object.keys(line ?? {}).sort()).toEqual(['event', 'lane', 'level', 'service', 'state', 'time']);
});

test('a member that is not on the list is dropped at every level, with what it holds', () => {
  const { logger, written } = listen('debug');
  const grown = { code: 'ERR_X', token: 'hush', body: { text: 'hush' }, hush: 1 } as Fields;
  for (const level of LEVELS) logger[level]('something', grown);
  expect(written).toHaveLength(4);
  expect(written.join('')).not.toContain('hush');
  expect(written.join('').match(/ERR_X/g)).toHaveLength(4);
});

test('nothing from the caller replaces the service, the time or the level', () => {
  const { logger, lines } = listen();
  logger.info('something', { service: 'other', time: 'never', level: 'none', event: 'other' } as Fields);
  expect(lines()[0]).toMatchObject({ service: 'gateway', event: 'something' });
  expect(JSON.stringify(lines()[0])).not.toMatch(/other|never|none/);
});

test('a long string is cut at 200 characters', () => {
  const { logger, lines } = listen();
  logger.warn('something', { reason: 'x'.repeat(5000) });
  expect(lines()[0]?.reason).toBe('x'.repeat(200));
});

test('a line break in a value or an event stays within its line', () => {
  const { logger, written, lines } = listen();
  logger.info('one\ntwo', { reason: 'three\n{"event":"forged"}' });
  expect(written.join('').trimEnd()).not.toContain('\n');
  expect(lines()[0]?.event).toBe('one\ntwo');
});

test('of a cause, class, code and frames are written, and never its message', () => {
  const { logger, written, lines } = listen();
  const cause = Object.assign(new TypeError('hush hush\n  at hush (still the message)'), { code: 'ERR_INNER' });
  logger.error('request failed', { code: 'ERR_HTTP_INTERNAL', cause });
  const [line] = lines();
  expect(line).toMatchObject({ cause: 'TypeError', causeCode: 'ERR_INNER', code: 'ERR_HTTP_INTERNAL' });
  const stack = line?.stack as string[];
  expect(stack.some((frame) => frame.includes('log.test.ts'))).toBe(true);
  expect(stack.length).toBeLessThanOrEqual(12);
  expect(written.join('')).not.toContain('hush');
});

test('neither the cause of a cause nor other members of an error are written', () => {
  const { logger, written } = listen();
  const cause = Object.assign(new Error('hush', { cause: new Error('hush') }), { detail: 'hush', where: 'hush' });
  logger.error('request failed', { cause });
  expect(written.join('')).not.toContain('hush');
});

test.each([
  ['a string', 'hush'],
  ['an object', { message: 'hush', stack: 'hush', code: 'hush' }],
  ['undefined', undefined],
  ['null', null],
])('a cause that is no error, %s, leaves nothing behind', (_name, cause) => {
  const { logger, written, lines } = listen();
  logger.error('request failed', { cause });
  expect(lines()[0]).not.toHaveProperty('cause');
  expect(written.join('')).not.toContain('hush');
});

test.each(LEVELS.map((level, at) => [level, LEVELS.length - at] as const))(
  'at level %s only that and what is graver is written',
  (level, expected) => {
    const { logger, written } = listen(level);
    for (const each of LEVELS) logger[each]('something');
    expect(written).toHaveLength(expected);
  },
);

test('without a level, debug is quiet', () => {
  const { logger, written } = listen();
  logger.debug('something');
  logger.info('something');
  expect(written).toHaveLength(1);
});
