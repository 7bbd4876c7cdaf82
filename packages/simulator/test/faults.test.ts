import { expect, test } from 'vitest';
import { createFaults } from '../src/faults.ts';

const at = (draw: number) => createFaults(() => draw);

test('shares of faults that hold at once add up, and of one event’s faults one strikes', () => {
  const struck = (draw: number) => {
    const faults = at(draw);
    faults.set({ kind: '503', rate: 0.1 }, { kind: 'timeout-after-effect', rate: 0.08 });
    return faults.strike('call').kind;
  };
  expect([0, 0.099, 0.1, 0.179, 0.181, 0.999].map(struck)).toEqual([
    '503',
    '503',
    'timeout-after-effect',
    'timeout-after-effect',
    'ok',
    'ok',
  ]);
});

test('a fault of another doing takes no share of this one', () => {
  const faults = at(0.05);
  faults.set({ kind: 'late-receipt', rate: 0.5 }, { kind: '503', rate: 0.1 });
  expect(faults.strike('call').kind).toBe('503');
  expect(faults.strike('receipt').kind).toBe('late-receipt');
});

test('what is set replaces what held before, and is told as it was set', () => {
  const faults = at(0);
  faults.set({ kind: '503', rate: 0.1 }, { kind: 'refuse' });
  expect(faults.holds('refuse')).toBe(true);
  faults.set({ kind: 'slow' });
  expect(faults.holds('refuse')).toBe(false);
  expect(faults.current()).toEqual([{ kind: 'slow' }]);
});
