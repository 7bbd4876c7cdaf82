/** The store in a folder: the contract, and what only files can go through. */
import { execFile, spawn } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fromUtf8, utf8 } from '@sealpost/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFileStore } from '../src/index.ts';
import { encodeJournal } from '../src/store/journal-schema.ts';
import { storeContract } from './store.contract.ts';

let scratch = '';
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'sealpost-store-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

let folders = 0;
const fresh = () => join(scratch, `device-${folders++}`);
const kekOf = (folder: string) => join(folder, 'kek');
const open = (folder: string) => createFileStore(folder, kekOf(folder));
const valueFile = (folder: string, name: string) => join(folder, 'values', encodeURIComponent(name));
const door = new URL('../src/index.ts', import.meta.url).pathname;
const script = (folder: string, then: string) =>
  `import { createFileStore } from ${JSON.stringify(door)};
   const store = await createFileStore(${JSON.stringify(folder)}, ${JSON.stringify(kekOf(folder))});
   ${then}`;

async function flip(file: string, at: (length: number) => number): Promise<void> {
  const bytes = await readFile(file);
  bytes[at(bytes.length)] = (bytes[at(bytes.length)] ?? 0) ^ 2;
  await writeFile(file, bytes);
}

describe('the file store', () => {
  storeContract(async () => {
    const folder = fresh();
    return { open: () => open(folder), flip: (name, at) => flip(valueFile(folder, name), at) };
  });

  it('keeps nothing in clear and lets only its owner read', async () => {
    const folder = fresh();
    const store = await open(folder);
    const { publicJwk } = await store.createSigner();
    await store.write(new Map([['message/a', utf8('in clear nowhere')]]));
    await store.close();
    for (const file of await readdir(join(folder, 'values'))) {
      const bytes = await readFile(join(folder, 'values', file));
      expect(bytes.includes('clear')).toBe(false);
      expect(bytes.includes(publicJwk.x)).toBe(false);
    }
    expect((await stat(kekOf(folder))).mode & 0o777).toBe(0o600);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
  });

  it('refuses a value put under another name', async () => {
    const folder = fresh();
    const store = await open(folder);
    await store.write(new Map([['message/a', utf8('a')]]));
    await store.close();
    await writeFile(valueFile(folder, 'message/b'), await readFile(valueFile(folder, 'message/a')));
    const again = await open(folder);
    await expect(again.read('message/b')).rejects.toMatchObject({ code: 'ERR_CLIENT_STATE_DAMAGED' });
    await again.close();
  });

  it('refuses another key-encryption key, and a missing one', async () => {
    const folder = fresh();
    await (await open(folder)).close();
    await writeFile(join(folder, 'other'), new Uint8Array(32));
    await expect(createFileStore(folder, join(folder, 'other'))).rejects.toMatchObject({
      code: 'ERR_CLIENT_STATE_DAMAGED',
    });
    await expect(createFileStore(folder, join(folder, 'gone'))).rejects.toMatchObject({ code: 'ERR_CLIENT_KEK' });
  });

  it('finishes a batch whose journal is in place, and forgets one whose journal is not', async () => {
    const folder = fresh();
    const store = await open(folder);
    await store.write(
      new Map([
        ['a', utf8('new')],
        ['b', utf8('new')],
      ]),
    );
    const [a, b] = [await readFile(valueFile(folder, 'a')), await readFile(valueFile(folder, 'b'))];
    await store.write(
      new Map([
        ['a', utf8('old')],
        ['b', utf8('old')],
        ['c', utf8('old')],
      ]),
    );
    await store.close();
    const journal = encodeJournal(
      new Map([
        ['a', new Uint8Array(a)],
        ['b', new Uint8Array(b)],
        ['c', null],
      ]),
    );
    await writeFile(join(folder, 'journal.tmp'), journal);
    const before = await open(folder);
    expect(fromUtf8((await before.read('a')) ?? new Uint8Array())).toBe('old');
    await before.close();
    // as a crash after the journal and half of its changes leaves it
    await writeFile(join(folder, 'journal'), journal);
    await writeFile(valueFile(folder, 'a'), a);
    const after = await open(folder);
    expect(fromUtf8((await after.read('a')) ?? new Uint8Array())).toBe('new');
    expect(fromUtf8((await after.read('b')) ?? new Uint8Array())).toBe('new');
    expect(await after.read('c')).toBeUndefined();
    await after.close();
  });

  it.skipIf(process.getuid?.() === 0)('says which path it cannot write', async () => {
    const folder = fresh();
    const store = await open(folder);
    await chmod(folder, 0o500);
    await expect(store.write(new Map([['a', utf8('x')]]))).rejects.toMatchObject({ code: 'ERR_CLIENT_STORE' });
    await chmod(folder, 0o700);
    await store.close();
  });
});

describe('two processes on one folder', () => {
  it('the second is refused while the first lives', async () => {
    const folder = fresh();
    const store = await open(folder);
    const second = promisify(execFile)(process.execPath, ['--input-type=module', '-e', script(folder, '')]);
    await expect(second).rejects.toMatchObject({ stderr: expect.stringContaining('ERR_CLIENT_STORE_BUSY') });
    await store.close();
  });

  it('a lock whose process was killed is taken over, and what it wrote is there', async () => {
    const folder = fresh();
    const write = `await store.write(new Map([['a', new Uint8Array([1, 2, 3])]])); console.log('written'); setInterval(() => {}, 1000);`;
    const first = spawn(process.execPath, ['--input-type=module', '-e', script(folder, write)]);
    await new Promise<void>((resolve) => first.stdout.once('data', () => resolve()));
    await expect(open(folder)).rejects.toMatchObject({ code: 'ERR_CLIENT_STORE_BUSY' });
    const gone = new Promise<void>((resolve) => first.once('exit', () => resolve()));
    first.kill('SIGKILL');
    await gone;
    const store = await open(folder);
    expect(await store.read('a')).toEqual(new Uint8Array([1, 2, 3]));
    await store.close();
  });

  it('one whose lock was taken away does not write any more', async () => {
    const folder = fresh();
    const store = await open(folder);
    await writeFile(join(folder, 'lock'), '1 1 other\n');
    await expect(store.write(new Map([['a', utf8('x')]]))).rejects.toMatchObject({ code: 'ERR_CLIENT_STORE_BUSY' });
    await store.close();
  });
});
