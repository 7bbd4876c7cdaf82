/**
 * Benches are not run by CI for their figures, which mean nothing on a shared machine. That they still do the work they
 * name, and count it, is tested here on amounts of seconds; `start` is what the scenarios of the house do anyway.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

const run = promisify(execFile);
const bench = (...args: string[]) => run(process.execPath, ['bench/main.ts', ...args], { timeout: 110_000 });

describe('benches', () => {
  test.each([
    // Intake stores every draft, single, batch and HTTP request exactly once.
    ['accept', { envelopes: 400 + 40 + 100 + 40 + 100 }],
    // Four backlogs of 32: one first, one without a snapshot, two beside one.
    ['drain', { accepted: 128, decided: 128, queued: 128 }],
    ['life', { accepted: 50, tried: 50, heard: 50, read: 50, ended: 50 }],
    ['e2e', { sent: 12, opened: 12 }],
    ['log', { appended: 1_000, verified: 1_000 }],
  ])(
    'the bench %s does what it names and counts it, in one JSON object',
    { timeout: 120_000 },
    async (name, counted) => {
      const { stdout } = await bench(name, '--quick', '--json');
      const result = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
      expect(result).toMatchObject({ bench: name, counted });
      const rates = result.lines.map(({ rate }: { rate: number }) => rate);
      expect(rates.every((rate: number) => Number.isFinite(rate) && rate > 0)).toBe(true);
      expect(result.budgets.every(({ value }: { value: number }) => Number.isFinite(value))).toBe(true);
    },
  );

  test('a bench that does not exist is named on stderr with those that do, and the exit code is 2', async () => {
    await expect(bench('speed')).rejects.toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('accept|drain|e2e|life|log|start|all'),
    });
  });
});
