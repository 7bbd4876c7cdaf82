import { channel } from 'node:diagnostics_channel';
import { afterEach, expect, test } from 'vitest';
import { POINT_CHANNEL, type PointPassed, pointsOf } from '../src/points.ts';

const reached = pointsOf({ 'shop.stored': 'the order is stored', 'shop.answered': 'the customer was told' });
const seen: unknown[] = [];
const listener = (message: unknown) => void seen.push(message);

afterEach(() => {
  channel(POINT_CHANNEL).unsubscribe(listener);
  seen.length = 0;
});

test('a point that is passed is told to whoever listens, before the code goes on', () => {
  channel(POINT_CHANNEL).subscribe(listener);
  reached('shop.stored');
  expect(seen).toEqual([{ point: 'shop.stored' } satisfies PointPassed]);
});

test('a point nobody listens for does nothing, and one that is not in the table does not compile', () => {
  reached('shop.answered');
  // @ts-expect-error: the table has no such point
  reached('shop.closed');
  expect(seen).toEqual([]);
});
