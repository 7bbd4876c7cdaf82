/**
 * A house is lost and comes back from its backups: what was sealed is checked before it is trusted, what was promised after
 * it is not denied, and people can be reached again on the devices they had.
 */
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningSealpost, startSealpost } from '../../packages/cli/src/start/start.ts';
import type { Stage } from '../../packages/cli/src/story/stage.ts';
import type { MessageId } from '../../packages/protocol/src/index.ts';
import { cli } from '../support/run-cli.ts';
import { openHouse, type RunningHouse } from '../support/running-house.ts';
import { until } from '../support/until.ts';

const PORTS = 7200;
const PATIENCE = 180_000;

let house: RunningHouse;
let stage: Stage;
/** Sent before the backup, and after it. */
let kept: { message: MessageId; receipt: string };
let forgotten: { message: MessageId };
let operator: string;
let backups: Record<string, string>;
/** Taken of the restored house, so newer than the first. */
let newer: Record<string, string>;
let restored: RunningSealpost | undefined;

const inFolder = (name: string) => join(house.folder, name);
const key = () => inFolder('backup-key');

beforeAll(async () => {
  house = await openHouse(PORTS);
  stage = await house.stage();
  operator = inFolder('operator');
  await cp(house.sealpost.operator, operator, { recursive: true });
  await stage.phone.connect();
  kept = await stage.sendAlert('DiskFull', 'firing');
  await receives(stage.phone, kept.message);
}, PATIENCE);
afterAll(async () => {
  await restored?.stop();
  await house?.close();
});

test(
  'a running house is backed up into one sealed file a zone, and each verifies with the key that the house does not have',
  async () => {
    await done('backup', 'key-create', key());
    backups = await create('first');
    expect(Object.keys(backups).sort()).toEqual(['control', 'dispatcher', 'gateway']);
    const control = await verify(backups.control!);
    expect(control.json).toMatchObject({ ok: true, keys: expect.arrayContaining(['device-ca', 'submit', 'witness']) });
    expect(control.json.keys, 'agents’ keys and keyrings are never in it').not.toContainEqual(
      expect.stringMatching(/^(agent|keyring)-/),
    );
    const gateway = await verify(backups.gateway!);
    expect(gateway.json).toMatchObject({
      ok: true,
      keys: ['receipts', 'log'],
      blobs: 1,
      log: { size: expect.any(Number), cosignedBy: ['acme.example/control'] },
    });
    expect((await verify(backups.dispatcher!)).json).toMatchObject({ ok: true, keys: ['dispatch'], rows: 0 });
  },
  PATIENCE,
);

test('a backup shows nothing of what is in it to whoever has only the file', async () => {
  for (const file of Object.values(backups)) {
    const bytes = (await readFile(file)).toString('latin1');
    for (const word of ['alice', 'lane_event', 'trust.jws', 'incident-alerts', 'sealpost_control'])
      expect(bytes.includes(word), word).toBe(false);
  }
});

test(
  'a backup that is cut short, changed, sealed to another key, foreign or of a newer format is refused by its own code',
  async () => {
    const whole = await readFile(backups.gateway!);
    const refusals: [string, Buffer, string][] = [
      ['cut', whole.subarray(0, whole.length - 5000), 'ERR_BACKUP_ALTERED'],
      ['cut-at-record', whole.subarray(0, recordEnd(whole)), 'ERR_BACKUP_CUT'],
      ['changed', flipped(whole, whole.length - 5000), 'ERR_BACKUP_ALTERED'],
      [
        'head',
        Buffer.from(whole.toString('latin1').replace('"gateway"', '"control"'), 'latin1'),
        'ERR_BACKUP_WRONG_KEY',
      ],
      ['newer', Buffer.concat([Buffer.from('sealpost-backup/2'), whole.subarray(17)]), 'ERR_BACKUP_NEWER'],
      ['foreign', Buffer.from('SQLite format 3'), 'ERR_BACKUP_FILE'],
    ];
    for (const [name, bytes, code] of refusals) {
      const file = inFolder(`${name}.backup`);
      await writeFile(file, bytes);
      expect({ name, ...(await verify(file)) }).toMatchObject({ name, exit: 3, json: { ok: false, code } });
    }
    await done('backup', 'key-create', inFolder('other-key'));
    const other = await cli(
      'backup',
      'verify',
      backups.gateway!,
      '--key',
      inFolder('other-key'),
      '--operator',
      operator,
      '--json',
    );
    expect(other).toMatchObject({ exit: 3, json: { code: 'ERR_BACKUP_WRONG_KEY' } });
  },
  PATIENCE,
);

test(
  'verify proves that the backup is an earlier part of the log exported later, and says how much it does not hold',
  async () => {
    forgotten = await stage.sendAlert('ReplicaLag', 'firing');
    await receives(stage.phone, forgotten.message);
    await until(
      'all of it in the log',
      async () => (await house.checkpointSize()) > 0 && (await inLog(forgotten.message)),
    );
    await done(
      'log',
      'export',
      '--out',
      inFolder('later.jsonl'),
      '--operator',
      operator,
      '--control',
      house.urls.control,
    );
    const { json } = await verify(backups.gateway!, '--checkpoint', inFolder('later.jsonl'));
    expect(json).toMatchObject({ ok: true, outside: { proved: true, forgets: expect.any(Number) } });
    expect((json.outside as { forgets: number }).forgets).toBeGreaterThan(1);
    await writeFile(inFolder('later.note'), await (await fetch(`${house.urls.devices}/v1/log/checkpoint`)).text());
    expect((await verify(backups.gateway!, '--checkpoint', inFolder('later.note'))).json).toMatchObject({
      ok: true,
      outside: { proved: false },
    });
  },
  PATIENCE,
);

test(
  'nothing is restored over data, nor beside a log that promised more, unless that is asked for by name',
  async () => {
    await stage.phone.disconnect();
    await house.sealpost.stop();
    const target = inFolder('restored');
    expect(await restore(target, backups)).toMatchObject({ exit: 4, json: { code: 'ERR_BACKUP_FORGETS' } });
    expect(await restore(target, backups, '--checkpoint', inFolder('later.jsonl'))).toMatchObject({
      exit: 4,
      json: { code: 'ERR_BACKUP_FORGETS' },
    });
    expect(await restore(house.sealpost.folder.path, backups, '--unsafe-forget')).toMatchObject({
      exit: 4,
      json: { code: 'ERR_BACKUP_NOT_EMPTY' },
    });
    expect(await restore(target, backups, '--unsafe-forget')).toMatchObject({ exit: 0, json: { ok: true } });
  },
  PATIENCE,
);

test(
  'after a complete restore an alert reaches a device enrolled before the backup, and one it had not read comes with its attachment',
  async () => {
    restored = await open(inFolder('restored'));
    await stage.phone.connect();
    const { message } = await stage.sendAlert('CertificateExpiry', 'firing');
    expect((await receives(stage.phone, message)).checks.commitment).toBe(true);
    await stage.laptop.connect();
    await receives(stage.laptop, kept.message);
    expect((await stage.laptop.attachment(kept.message, 0)).length).toBeGreaterThan(0);
    await receives(stage.laptop, message);
  },
  PATIENCE,
);

test(
  'the restored log verifies, holds what was promised before the backup, and says itself that it was restored',
  async () => {
    const exported = inFolder('restored.jsonl');
    await done('log', 'export', '--out', exported, '--operator', operator, '--control', house.urls.control);
    const receipt = inFolder('kept.jws');
    await writeFile(receipt, kept.receipt);
    const { exit, json } = await cli('log', 'verify', exported, '--operator', operator, '--receipt', receipt, '--json');
    expect({ exit, ...json }).toMatchObject({ exit: 0, ok: true, receipt: { position: expect.any(Number) } });
    const text = await readFile(exported, 'utf8');
    expect(text).toContain('log.restored');
    expect(text, 'what came after the backup is gone').not.toContain(forgotten.message);
    // Devices and operators keep the proof: the two logs are two histories.
    const compared = await verify(backups.gateway!, '--checkpoint', exported);
    expect(compared.json).toMatchObject({ ok: true, outside: { proved: true } });
    newer = await create('second', inFolder('restored'));
    expect(await verify(newer.gateway!, '--checkpoint', inFolder('later.jsonl'))).toMatchObject({
      exit: 3,
      json: { code: 'ERR_BACKUP_LOG' },
    });
  },
  PATIENCE,
);

test(
  'a gateway restored to a moment before what its witness has seen is never cosigned again, and control says why',
  async () => {
    await stage.phone.disconnect();
    await stage.laptop.disconnect();
    await restored?.stop();
    const data = inFolder('mixed');
    const mixed = { ...backups, control: newer.control! };
    expect(await restore(data, mixed, '--unsafe-forget')).toMatchObject({ exit: 0 });
    restored = await open(data);
    await stage.phone.connect();
    const log = join(restored.folder.zone('logs'), 'control.log');
    await until('control to refuse the other history', async () => {
      await stage.sendAlert('DiskFull', 'firing').catch(() => undefined);
      return (await readFile(log, 'utf8')).includes('"reason":"inconsistent"');
    });
    const checkpoint = await (await fetch(`${house.urls.devices}/v1/log/checkpoint`)).text();
    expect(checkpoint).toContain('— acme.example/log ');
    expect(checkpoint).not.toContain('— acme.example/control ');
  },
  PATIENCE,
);

function open(data: string): Promise<RunningSealpost> {
  const options = { data, operator, portBase: PORTS, organisation: 'acme.example', version: '0.1.0', logLevel: 'info' };
  return startSealpost(options, house.surroundings, () => undefined);
}

async function done(...args: string[]) {
  const result = await cli(...args, '--json');
  expect({ args, ...result }).toMatchObject({ args, exit: 0 });
  return result.json;
}

async function create(name: string, data = house.sealpost.folder.path): Promise<Record<string, string>> {
  const json = await done('backup', 'create', '--data', data, '--to', `${key()}.pub`, '--out', inFolder(name));
  return Object.fromEntries((json.backups as { zone: string; out: string }[]).map(({ zone, out }) => [zone, out]));
}

const verify = (file: string, ...more: string[]) =>
  cli('backup', 'verify', file, '--key', key(), '--operator', operator, ...more, '--json');

const restore = (data: string, files: Record<string, string>, ...more: string[]) =>
  cli(
    'backup',
    'restore',
    ...Object.values(files),
    '--key',
    key(),
    '--operator',
    operator,
    '--data',
    data,
    ...more,
    '--json',
  );

async function receives(device: Stage['phone'], message: MessageId) {
  let found: Awaited<ReturnType<Stage['phone']['inbox']>>[number] | undefined;
  await until(`${message} on the device`, async () => {
    found = (await device.inbox()).find((item) => item.message === message && item.state !== 'unreadable');
    return found !== undefined;
  });
  return found!;
}

async function inLog(message: MessageId): Promise<boolean> {
  const { timeline } = await stage.status(message);
  return timeline.length > 0 && timeline.every(({ position }) => position !== null);
}

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at]! ^= 1;
  return copy;
}

/** Where the last whole record before the last one ends (RFC 8188: 64 KiB records after a header of 21 bytes). */
function recordEnd(bytes: Buffer): number {
  const start = bytes.indexOf(10, bytes.indexOf(10) + 1) + 1 + 21;
  return start + Math.floor((bytes.length - start - 1) / 65_536) * 65_536;
}
