/** Quiet hours by the clock on the wall of one zone, over midnight and over the days clocks are changed. */
import { describe, expect, test } from 'vitest';
import { quietUntil } from '../../src/modules/routing/quiet-hours.ts';

const BERLIN = { from: '22:00', until: '07:00', zone: 'Europe/Berlin' };
const at = (text: string) => Date.parse(text);
const until = (quiet: typeof BERLIN, now: string) => {
  const end = quietUntil(quiet, at(now));
  return end === undefined ? undefined : new Date(end).toISOString();
};

describe('quiet hours', () => {
  test.each([
    ['2026-11-24T20:59:59Z', undefined],
    ['2026-11-24T21:00:00Z', '2026-11-25T06:00:00.000Z'],
    ['2026-11-25T02:30:20Z', '2026-11-25T06:00:00.000Z'],
    ['2026-11-25T05:59:59Z', '2026-11-25T06:00:00.000Z'],
    ['2026-11-25T06:00:00Z', undefined],
  ])('from 22:00 to 07:00 in Berlin, at %s they hold until %s', (now, end) => {
    expect(until(BERLIN, now)).toBe(end);
  });

  test('end at seven by the clock on the wall in the nights clocks are changed', () => {
    expect(until(BERLIN, '2026-10-24T22:30:00Z')).toBe('2026-10-25T06:00:00.000Z');
    expect(until(BERLIN, '2026-03-28T22:30:00Z')).toBe('2026-03-29T05:00:00.000Z');
  });

  test('within one day hold between their times and not beside them', () => {
    const noon = { from: '12:00', until: '13:30', zone: 'UTC' };
    expect(until(noon, '2026-11-24T12:15:00Z')).toBe('2026-11-24T13:30:00.000Z');
    expect(until(noon, '2026-11-24T11:59:00Z')).toBeUndefined();
    expect(until(noon, '2026-11-24T13:30:00Z')).toBeUndefined();
  });

  test('that begin when they end are none', () => {
    expect(until({ from: '08:00', until: '08:00', zone: 'UTC' }, '2026-11-24T08:00:00Z')).toBeUndefined();
  });
});
