/**
 * Delivery in deterministic simulation (DESIGN section 16): the command as it is used, on the seeds that every change must
 * pass, and each planted bug found. Ten thousand seeds are some four hundred virtual hours.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import * as code from '../simulation/code.ts';
import { simulate } from '../simulation/simulate.ts';

const SEEDS = '10000';
/** Bounds a hang, and states nothing about speed. */
const WITHIN = 900_000;

async function command(
  ...options: string[]
): Promise<{ exit: number; result: Record<string, unknown>; words: string }> {
  const run = promisify(execFile)(process.execPath, ['test/simulation/main.ts', ...options], { timeout: WITHIN });
  const { stdout, stderr } = await run.catch((failure: { stdout: string; stderr: string }) => failure);
  const last = stdout.trim().split('\n').at(-1) ?? '';
  return { exit: run.child.exitCode ?? -1, result: last === '' ? {} : JSON.parse(last), words: stderr };
}

describe('in simulated worlds', () => {
  test('every invariant of delivery holds, whatever servers, providers, devices and clocks do', {
    timeout: WITHIN,
  }, async () => {
    const { exit, result, words } = await command('--seeds', SEEDS, '--json');
    expect(result, words).toMatchObject({ seeds: 10_000, violations: 0, broken: [] });
    expect(result.kills).toBeGreaterThan(1000);
    expect(exit).toBe(0);
  });

  test('each planted bug breaks an invariant within two thousand seeds', { timeout: WITHIN }, async () => {
    const { exit, result, words } = await command('--find', '--json');
    expect(result.missed, words).toBe(0);
    expect(result.planted).toBeGreaterThanOrEqual(24);
    expect(exit).toBe(0);
  });

  test('a seed tells the same story each time, and another seed another', async () => {
    const hashes = new Set<string>();
    for (const seed of [3, 74, 735, 1695]) {
      const [first, again] = [await simulate(seed, code), await simulate(seed, code, { story: true })];
      expect(again.hash).toBe(first.hash);
      expect(again.story.length).toBeGreaterThan(0);
      hashes.add(first.hash);
    }
    expect(hashes.size).toBe(4);
  });

  test('a wrong call is answered with the usage and exit code 2', async () => {
    const { exit, words } = await command('--seeds', 'many');
    expect([exit, words]).toEqual([2, expect.stringContaining('npm run simulate')]);
  });
});
