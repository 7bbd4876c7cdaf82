/**
 * Keys at rest, the `file` provider: each secret in a file of its own, AES-256-GCM under the key-encryption key in
 * `keys.kek_file`, its name bound as associated data. Whoever can read both folder and KEK file holds the keys: the
 * default keeps them on one disk and says so at each start.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { createSigningKey, type SignatureAlgorithm, type Signer, signerFromJwk } from '@sealpost/crypto/signer';
import { type ErrorTable, errorsOf } from '@sealpost/protocol';
import { z } from 'zod';

export const KEY_ERRORS = {
  ERR_KEYS_MISSING: {
    kind: 'unavailable',
    sentence: 'A key this service needs is not in its key folder.',
    hint: 'Run `sealpost bootstrap`, or restore the key folder from backup.',
  },
  ERR_KEYS_UNOPENABLE: {
    kind: 'integrity',
    sentence: 'A key file cannot be opened with the key-encryption key.',
    hint: 'Check that keys.kek_file is the one the keys were wrapped with.',
  },
  ERR_KEYS_KEK: {
    kind: 'invalid',
    sentence: 'The key-encryption key must be a file of exactly 32 bytes, readable by its owner only.',
    hint: 'Make one with `head -c 32 /dev/urandom > FILE && chmod 600 FILE`.',
  },
  ERR_KEYS_EXISTS: {
    kind: 'conflict',
    sentence: 'A key of that name exists already.',
    hint: 'Keys are never overwritten; choose another folder or remove it knowingly.',
  },
} as const satisfies ErrorTable;
const keyError = errorsOf(KEY_ERRORS);

export const keysConfigSchema = z.strictObject({
  folder: z.string().describe('Folder with this zone’s wrapped keys.'),
  kek_file: z
    .string()
    .describe('File with the 32-byte key that wraps them; best on another medium or from a secret store.'),
});
export type KeysConfig = z.infer<typeof keysConfigSchema>;

const MAGIC = Buffer.from('SPKEY1');

export interface KeyStore {
  /** Secret bytes, for storage keys and shared secrets. */
  readSecret(name: string): Uint8Array;
  hasSecret(name: string): boolean;
  createSecret(name: string, bytes: Uint8Array): void;
  /** Writes over an older value durably: the old file's bytes are gone from the folder once this returns. */
  replaceSecret(name: string, bytes: Uint8Array): void;
  signer(name: string): Promise<Signer>;
  createSigner(name: string, algorithm: SignatureAlgorithm): Promise<Signer>;
}

export function openKeyStore(config: KeysConfig): KeyStore {
  const kek = readKek(config.kek_file);
  const fileOf = (name: string) => join(config.folder, `${name}.key`);
  const readSecret = (name: string) => unwrap(kek, name, readOrFail(fileOf(name)));
  const createSecret = (name: string, bytes: Uint8Array) => {
    if (existsSync(fileOf(name))) throw keyError('ERR_KEYS_EXISTS', { details: [{ pointer: name, detail: 'exists' }] });
    writeDurably(fileOf(name), wrap(kek, name, bytes));
  };
  return {
    readSecret,
    hasSecret: (name) => existsSync(fileOf(name)),
    createSecret,
    replaceSecret: (name, bytes) => writeDurably(fileOf(name), wrap(kek, name, bytes)),
    signer: async (name) => signerFromJwk(JSON.parse(Buffer.from(readSecret(name)).toString('utf8'))),
    async createSigner(name, algorithm) {
      const { signer, privateJwk } = await createSigningKey(algorithm);
      createSecret(name, Buffer.from(JSON.stringify(privateJwk)));
      return signer;
    },
  };
}

/** Makes a KEK file of 32 random bytes, mode 0600, unless there is one. */
export function ensureKek(path: string): void {
  if (existsSync(path)) return;
  writeDurably(path, randomBytes(32));
}

function readKek(path: string): Buffer {
  let kek: Buffer;
  try {
    kek = readFileSync(path);
  } catch (cause) {
    throw keyError('ERR_KEYS_KEK', { cause, details: [{ pointer: path, detail: 'cannot be read' }] });
  }
  if (kek.length !== 32)
    throw keyError('ERR_KEYS_KEK', { details: [{ pointer: path, detail: 'is not 32 bytes long' }] });
  return kek;
}

function readOrFail(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw keyError('ERR_KEYS_MISSING', { cause, details: [{ pointer: path, detail: 'cannot be read' }] });
  }
}

function wrap(kek: Uint8Array, name: string, secret: Uint8Array): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', kek, nonce).setAAD(Buffer.concat([MAGIC, Buffer.from(name)]));
  return Buffer.concat([MAGIC, nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag()]);
}

function unwrap(kek: Uint8Array, name: string, wrapped: Buffer): Uint8Array {
  try {
    if (!wrapped.subarray(0, MAGIC.length).equals(MAGIC)) throw new TypeError('not a wrapped key');
    const nonce = wrapped.subarray(MAGIC.length, MAGIC.length + 12);
    const decipher = createDecipheriv('aes-256-gcm', kek, nonce, { authTagLength: 16 })
      .setAAD(Buffer.concat([MAGIC, Buffer.from(name)]))
      .setAuthTag(wrapped.subarray(-16));
    return new Uint8Array(Buffer.concat([decipher.update(wrapped.subarray(MAGIC.length + 12, -16)), decipher.final()]));
  } catch (cause) {
    throw keyError('ERR_KEYS_UNOPENABLE', { cause, details: [{ pointer: name, detail: 'does not open' }] });
  }
}

/** Temp file, fsync, rename, fsync of the folder: after a crash the file is the old one or the new one, never half. */
export function writeDurably(path: string, bytes: Uint8Array, mode = 0o600): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${process.pid}.tmp`;
  // What a crash left there would keep its own mode.
  rmSync(temporary, { force: true });
  const file = openSync(temporary, 'wx', mode);
  try {
    writeSync(file, bytes);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
