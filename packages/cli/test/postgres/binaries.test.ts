/** PostgreSQL's programs run wherever the project lies, and say so plainly where they cannot. */
import { lstatSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { chmod, cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { findCarrier } from '../../src/postgres/binaries.ts';
import { PostgresError, postgresErrors } from '../../src/postgres/postgres-errors.ts';
import { ask, type Scratch, scratch } from './scratch.ts';

const asRoot = process.getuid?.() === 0;

test('a project the server cannot use where it lies is copied beside the data, once', async () => {
  await using place = await scratch();
  await using carrier = await unusableCarrier(place);
  const first = await place.start({ carrier });
  const copy = join(place.folder, 'postgres-binaries');
  expect(readdirSync(copy)).toEqual([carrier.version]);
  expect(readlinkSync(`/proc/${first.pid}/exe`)).toBe(join(copy, carrier.version, 'bin', 'postgres'));
  const made = statSync(join(copy, carrier.version)).ctimeMs;

  await first.stop();
  const second = await place.start({ carrier });
  expect(await ask(second, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  expect(statSync(join(copy, carrier.version)).ctimeMs).toBe(made);
  expect(place.log.filter((line) => line.includes('copied'))).toHaveLength(1);
});

test('links that npm left out are made in the project when it can be written', async () => {
  await using place = await scratch();
  const native = await copyWithoutLinks(place);
  const { version } = await findCarrier();
  await place.start({ carrier: { native, version } });
  expect(lstatSync(join(native, 'lib', 'libicuuc.so.60')).isSymbolicLink()).toBe(true);
  expect(place.log.filter((line) => line.includes('copied'))).toEqual([]);
});

test('programs that do not run are named with what they printed', async () => {
  await using place = await scratch();
  const carrier = await playedCarrier(place, { postgres: 'echo "libicuuc.so.60: cannot open" >&2; exit 127' });
  await expect(place.start({ carrier })).rejects.toMatchObject({
    code: 'ERR_POSTGRES_BINARIES_UNUSABLE',
    message: expect.stringContaining('libicuuc.so.60: cannot open'),
  });
});

test('a failed creation shows the last lines of initdb and leaves neither a cluster nor a draft', async () => {
  await using place = await scratch();
  const carrier = await playedCarrier(place, {
    postgres: 'exit 0',
    initdb: 'echo "No space left on device" >&2; exit 1',
  });
  await expect(place.start({ carrier })).rejects.toMatchObject({
    code: 'ERR_POSTGRES_INITDB_FAILED',
    message: expect.stringContaining('No space left on device'),
  });
  expect(readdirSync(place.folder).filter((name) => /^postgres(\.init.*)?$/.test(name))).toEqual([]);
});

test('a platform without programs is refused with a way out', async () => {
  for (const [platform, arch] of [
    ['linux', 's390x'],
    ['win32', 'x64'],
  ] as const) {
    await expect(findCarrier(platform, arch)).rejects.toMatchObject({
      code: 'ERR_POSTGRES_NO_BINARIES',
      message: expect.stringContaining(`${platform}-${arch}`),
      hint: expect.stringContaining('database.url'),
    });
  }
});

test('every error has a hint, and neither it nor the message ends like a sentence in prose', () => {
  for (const [code, { message, hint }] of Object.entries(postgresErrors)) {
    expect(code).toMatch(/^ERR_POSTGRES_[A-Z_]+$/);
    for (const text of [message, hint]) expect(text).toMatch(/^[^A-Z].*[^.]$|^PostgreSQL .*[^.]$/);
  }
  expect(new PostgresError('ERR_POSTGRES_NO_BINARIES', { platform: 'x-y' }).message).toContain('for x-y here');
});

const copyWithoutLinks = async (place: Scratch): Promise<string> => {
  const native = join(place.folder, 'project', 'native');
  const { native: source } = await findCarrier();
  await cp(source, native, { recursive: true, filter: (path) => !lstatSync(path).isSymbolicLink() });
  return native;
};

/** Shell scripts in the place of PostgreSQL's programs. */
const playedCarrier = async (place: Scratch, scripts: Record<string, string>) => {
  const native = join(place.folder, 'played', 'native');
  await mkdir(join(native, 'bin'), { recursive: true });
  await writeFile(join(native, 'pg-symlinks.json'), '[]');
  for (const [name, script] of Object.entries(scripts)) {
    await writeFile(join(native, 'bin', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  return { native, version: '18.0-played' };
};

/** For root a project in a folder of mode 700; for others one whose missing links cannot be made. */
const unusableCarrier = async (place: Scratch) => {
  const native = await copyWithoutLinks(place);
  const [folder, mode] = asRoot ? [join(place.folder, 'project'), 0o700] : [join(native, 'lib'), 0o555];
  await chmod(folder, mode);
  const { version } = await findCarrier();
  return { native, version, [Symbol.asyncDispose]: () => chmod(folder, 0o755) };
};
