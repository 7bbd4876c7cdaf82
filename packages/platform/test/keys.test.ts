/**
 * Keys at rest: a wrapped file opens with its own key-encryption key, under its own name and whole, or not at all; and
 * nothing half-written, readable by others or overwritten by accident stays in the folder.
 */
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SignatureAlgorithm } from '@sealpost/crypto/signer';
import { utf8 } from '@sealpost/protocol';
import { expect, test } from 'vitest';
import { ensureKek, openKeyStore, writeDurably } from '../src/index.ts';

const SECRET = utf8('thirty-two bytes of a secret key');

/** A key folder and its KEK, removed with the test. */
function keyFolder() {
  const root = mkdtempSync(join(tmpdir(), 'sealpost-keys-'));
  const folder = join(root, 'keys');
  const kekFile = join(root, 'kek');
  ensureKek(kekFile);
  return {
    folder,
    kekFile,
    open: (kek = kekFile) => openKeyStore({ folder, kek_file: kek }),
    at: (name: string) => join(folder, `${name}.key`),
    path: (name: string) => join(root, name),
    [Symbol.dispose]: () => rmSync(root, { recursive: true }),
  };
}

const modeOf = (path: string) => statSync(path).mode & 0o777;
const refused = (code: string) => expect.objectContaining({ name: 'SealpostError', code });

test('a secret comes back as it was put, from another store over the same folder', () => {
  using keys = keyFolder();
  expect(keys.open().hasSecret('storage')).toBe(false);
  keys.open().createSecret('storage', SECRET);
  expect(keys.open().hasSecret('storage')).toBe(true);
  expect(keys.open().readSecret('storage')).toEqual(new Uint8Array(SECRET));
});

test('a secret of no bytes comes back as no bytes', () => {
  using keys = keyFolder();
  keys.open().createSecret('empty', new Uint8Array());
  expect(keys.open().readSecret('empty')).toEqual(new Uint8Array());
});

test('the file holds no part of the secret, and the same secret never makes the same file', () => {
  using keys = keyFolder();
  const store = keys.open();
  store.createSecret('one', SECRET);
  const first = readFileSync(keys.at('one'));
  store.replaceSecret('one', SECRET);
  expect(first.includes(Buffer.from(SECRET.subarray(0, 4)))).toBe(false);
  expect(readFileSync(keys.at('one')).equals(first)).toBe(false);
});

test('another key-encryption key does not open the file', () => {
  using keys = keyFolder();
  keys.open().createSecret('storage', SECRET);
  ensureKek(keys.path('other'));
  const other = keys.open(keys.path('other'));
  expect(() => other.readSecret('storage')).toThrow(refused('ERR_KEYS_UNOPENABLE'));
});

test('a file copied to another name does not open under it', () => {
  using keys = keyFolder();
  keys.open().createSecret('mine', SECRET);
  copyFileSync(keys.at('mine'), keys.at('yours'));
  expect(() => keys.open().readSecret('yours')).toThrow(refused('ERR_KEYS_UNOPENABLE'));
});

test('a file with any one byte flipped does not open', () => {
  using keys = keyFolder();
  const store = keys.open();
  store.createSecret('storage', SECRET);
  const good = readFileSync(keys.at('storage'));
  for (const at of good.keys()) {
    writeFileSync(
      keys.at('storage'),
      good.map((byte, index) => (index === at ? byte ^ 1 : byte)),
    );
    expect(() => store.readSecret('storage'), `byte ${at}`).toThrow(refused('ERR_KEYS_UNOPENABLE'));
  }
});

test('a file cut short at any length, or with a byte more, does not open', () => {
  using keys = keyFolder();
  const store = keys.open();
  store.createSecret('storage', SECRET);
  const good = readFileSync(keys.at('storage'));
  for (const bad of [...good.keys()].map((length) => good.subarray(0, length)).concat(Buffer.concat([good, good]))) {
    writeFileSync(keys.at('storage'), bad);
    expect(() => store.readSecret('storage'), `${bad.length} bytes`).toThrow(refused('ERR_KEYS_UNOPENABLE'));
  }
});

test('a key that is not there is missing, not unopenable', async () => {
  using keys = keyFolder();
  expect(() => keys.open().readSecret('none')).toThrow(refused('ERR_KEYS_MISSING'));
  await expect(keys.open().signer('none')).rejects.toThrow(refused('ERR_KEYS_MISSING'));
});

test.each([0, 16, 31, 33, 64])('a key-encryption key of %i bytes is refused', (length) => {
  using keys = keyFolder();
  writeFileSync(keys.kekFile, new Uint8Array(length));
  expect(() => keys.open()).toThrow(refused('ERR_KEYS_KEK'));
});

test('a key-encryption key that cannot be read is refused', () => {
  using keys = keyFolder();
  expect(() => keys.open(keys.path('nowhere'))).toThrow(refused('ERR_KEYS_KEK'));
});

test('a key-encryption key is made once, of 32 bytes, for its owner only', () => {
  using keys = keyFolder();
  const first = readFileSync(keys.kekFile);
  ensureKek(keys.kekFile);
  expect(readFileSync(keys.kekFile).equals(first)).toBe(true);
  expect(first).toHaveLength(32);
  expect(modeOf(keys.kekFile)).toBe(0o600);
});

test('creating a key never overwrites one, secret or signer', async () => {
  using keys = keyFolder();
  const store = keys.open();
  store.createSecret('taken', SECRET);
  const before = readFileSync(keys.at('taken'));
  expect(() => store.createSecret('taken', utf8('other'))).toThrow(refused('ERR_KEYS_EXISTS'));
  await expect(store.createSigner('taken', 'EdDSA')).rejects.toThrow(refused('ERR_KEYS_EXISTS'));
  expect(readFileSync(keys.at('taken')).equals(before)).toBe(true);
});

test('replacing a secret puts the new value in the place of the old and leaves no other file', () => {
  using keys = keyFolder();
  const store = keys.open();
  store.replaceSecret('rolling', utf8('old'));
  store.replaceSecret('rolling', utf8('new'));
  expect(store.readSecret('rolling')).toEqual(new Uint8Array(utf8('new')));
  expect(readdirSync(keys.folder)).toEqual(['rolling.key']);
});

test('key files are for their owner only, and so is the folder', async () => {
  using keys = keyFolder();
  const store = keys.open();
  store.createSecret('secret', SECRET);
  store.replaceSecret('secret', SECRET);
  await store.createSigner('signer', 'EdDSA');
  expect(readdirSync(keys.folder).map((name) => modeOf(join(keys.folder, name)))).toEqual([0o600, 0o600]);
  expect(modeOf(keys.folder)).toBe(0o700);
});

test('a temporary file that a crash left behind changes neither the content nor the mode of the next', () => {
  using keys = keyFolder();
  writeFileSync(`${keys.path('plain')}.${process.pid}.tmp`, 'half of something much longer', { mode: 0o644 });
  writeDurably(keys.path('plain'), utf8('whole'));
  expect(readFileSync(keys.path('plain'), 'utf8')).toBe('whole');
  expect(modeOf(keys.path('plain'))).toBe(0o600);
});

test.each<SignatureAlgorithm>(['EdDSA', 'ES256'])('a signer of %s comes back as the same key', async (algorithm) => {
  using keys = keyFolder();
  const made = await keys.open().createSigner('signing', algorithm);
  const read = await keys.open().signer('signing');
  expect(read.algorithm).toBe(algorithm);
  expect(read.keyId).toBe(made.keyId);
  expect(read.publicJwk).toEqual(made.publicJwk);
  const parameters = algorithm === 'EdDSA' ? { name: 'Ed25519' } : { name: 'ECDSA', hash: 'SHA-256' };
  const imported = algorithm === 'EdDSA' ? parameters : { name: 'ECDSA', namedCurve: 'P-256' };
  const key = await crypto.subtle.importKey('jwk', { ...made.publicJwk }, imported, false, ['verify']);
  const signature = await read.sign(SECRET);
  expect(await crypto.subtle.verify(parameters, key, new Uint8Array(signature), new Uint8Array(SECRET))).toBe(true);
});
