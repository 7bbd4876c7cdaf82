/**
 * A disk that runs full under everything: what was accepted stays, nothing is promised that was not stored, and once there
 * is room again the system goes on by itself. Needs root, to mount a small file system of its own.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, closeSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SealpostError } from '../../packages/protocol/src/index.ts';
import { openHouse, type RunningHouse } from '../support/running-house.ts';
import { until } from '../support/until.ts';

const ROOT = process.getuid?.() === 0;
const PORT_BASE = 6900;
let disk: string;
let house: RunningHouse | undefined;
const before = process.env.TMPDIR;

beforeAll(async () => {
  if (!ROOT) return;
  disk = mkdtempSync(join(tmpdir(), 'sealpost-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=260m,mode=711', 'tmpfs', disk]);
  chmodSync(disk, 0o711);
  process.env.TMPDIR = disk;
  house = await openHouse(PORT_BASE);
}, 120_000);

afterAll(async () => {
  if (!ROOT) return;
  await house?.close();
  if (before === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = before;
  execFileSync('umount', [disk]);
  rmSync(disk, { recursive: true });
}, 60_000);

test('a full disk is answered 503 with nothing accepted, and alerts are accepted again once there is room', {
  timeout: 180_000,
}, async (context) => {
  if (house === undefined) return context.skip('needs root to mount a small file system');
  const stage = await house.stage();
  await stage.phone.connect();
  const { message: earlier } = await stage.sendAlert('BeforeFull', 'firing');
  await until('the alert on the phone', async () =>
    (await stage.phone.inbox()).some(({ message }) => message === earlier),
  );

  fill(join(disk, 'ballast'));
  const refusals: unknown[] = [];
  await until('a refusal', async () => {
    await stage.sendAlert('WhileFull', 'firing').catch((cause: unknown) => refusals.push(cause));
    return refusals.length > 0;
  });
  expect(refusals[0]).toBeInstanceOf(SealpostError);
  expect(refusals[0]).toMatchObject({ kind: 'unavailable' });

  rmSync(join(disk, 'ballast'));
  const after = await accepted(() => stage.sendAlert('AfterFull', 'firing'));
  await until(
    'the next alert on the phone',
    async () => (await stage.phone.inbox()).some(({ message }) => message === after),
    90_000,
  );
  expect((await stage.status(earlier)).timeline.length).toBeGreaterThan(0);
});

async function accepted(send: () => Promise<{ message: string }>): Promise<string> {
  let message: string | undefined;
  await until(
    'an accepted alert',
    async () => {
      ({ message } = await send());
      return true;
    },
    90_000,
  );
  if (message === undefined) throw new Error('accepted without an id');
  return message;
}

/** Takes every byte there is. */
function fill(path: string): void {
  const file = openSync(path, 'w');
  const block = new Uint8Array(1 << 20);
  try {
    while (statfsSync(disk).bfree > 0) writeSync(file, block);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOSPC') throw cause;
  } finally {
    closeSync(file);
  }
}
