/**
 * A store in IndexedDB. The signature key is a CryptoKey that cannot be extracted. Values are sealed under a storage key
 * that rests wrapped by another such key; the browser keeps both on this machine's disk, so this protects against
 * copying values out by script, not against whoever holds the disk. One tab at a time (Web Locks).
 */
import { type PublicJwk, signerFromCryptoKey } from '@sealpost/crypto/signer';
import { clientError } from '../client-errors.ts';
import { createSerial } from '../serial.ts';
import { openDatabase, readKey, requestDone, transactionDone } from './indexed-db.web.ts';
import { openValue, STORAGE_KEY_LENGTH, sealValue } from './sealed-value.ts';
import type { DeviceStore } from './store.ts';

const KEY_NONCE = 12;

interface StoredSigner {
  readonly privateKey: CryptoKey;
  readonly publicJwk: PublicJwk;
}

/** Opens or makes the store. Throws ERR_CLIENT_STORE_BUSY while another tab holds it. */
export async function createIndexedDbStore(name: string): Promise<DeviceStore> {
  const release = await lock(`sealpost/${name}`);
  try {
    const database = await openDatabase(`sealpost/${name}`);
    return storeIn(database, await storageKeyOf(database), release);
  } catch (error) {
    release();
    throw error;
  }
}

/** Removes a store and its keys for good. Throws ERR_CLIENT_STORE_BUSY while anybody holds it. */
export async function eraseIndexedDbStore(name: string): Promise<void> {
  const release = await lock(`sealpost/${name}`);
  try {
    await requestDone(indexedDB.deleteDatabase(`sealpost/${name}`));
  } finally {
    release();
  }
}

function storeIn(database: IDBDatabase, storageKey: Uint8Array, release: () => void): DeviceStore {
  const serial = createSerial();
  let closed = false;
  const run = <T>(work: () => Promise<T>): Promise<T> => {
    if (closed) return Promise.reject(clientError('ERR_CLIENT_CLOSED'));
    return serial.run(work);
  };
  const signer = async () => {
    const stored = await readKey<StoredSigner>(database, 'signer');
    return stored === undefined ? undefined : signerFromCryptoKey(stored.privateKey, stored.publicJwk);
  };
  return {
    read: (name) =>
      run(async () => {
        const values = database.transaction('values', 'readonly').objectStore('values');
        const sealed: unknown = await requestDone(values.get(name));
        return sealed instanceof Uint8Array ? openValue(name, sealed, storageKey) : undefined;
      }),
    write: (changes) =>
      run(async () => {
        const sealed = new Map<string, Uint8Array | null>();
        for (const [name, value] of changes)
          sealed.set(name, value === null ? null : await sealValue(name, value, storageKey));
        const transaction = database.transaction('values', 'readwrite', { durability: 'strict' });
        const values = transaction.objectStore('values');
        for (const [name, value] of sealed) {
          if (value === null) values.delete(name);
          else values.put(value, name);
        }
        await transactionDone(transaction);
      }),
    list: (prefix) =>
      run(async () => {
        const values = database.transaction('values', 'readonly').objectStore('values');
        const names = await requestDone(values.getAllKeys());
        return names.filter((name) => typeof name === 'string').filter((name) => name.startsWith(prefix));
      }),
    signer: () => run(signer),
    createSigner: () =>
      run(async () => {
        const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
        const { x = '', y = '' } = await crypto.subtle.exportKey('jwk', pair.publicKey);
        const stored: StoredSigner = { privateKey: pair.privateKey, publicJwk: { crv: 'P-256', kty: 'EC', x, y } };
        await addKey(database, 'signer', stored, 'ERR_CLIENT_ENROLLED');
        return signerFromCryptoKey(stored.privateKey, stored.publicJwk);
      }),
    async close() {
      if (closed) return;
      closed = true;
      await serial.idle();
      database.close();
      release();
    },
  };
}

/** Refuses where there is one: a key is never replaced. */
async function addKey(
  database: IDBDatabase,
  name: string,
  value: unknown,
  code: 'ERR_CLIENT_ENROLLED' | 'ERR_CLIENT_STORE_BUSY',
): Promise<void> {
  if ((await readKey(database, name)) !== undefined) throw clientError(code);
  const transaction = database.transaction('keys', 'readwrite', { durability: 'strict' });
  transaction.objectStore('keys').add(value, name);
  await transactionDone(transaction);
}

async function storageKeyOf(database: IDBDatabase): Promise<Uint8Array> {
  const found = await readKey<{ readonly wrapping: CryptoKey; readonly wrapped: Uint8Array<ArrayBuffer> }>(
    database,
    'storage',
  );
  if (found === undefined) return makeStorageKey(database);
  const nonce = found.wrapped.slice(0, KEY_NONCE);
  try {
    const parameters = { name: 'AES-GCM', iv: nonce };
    return new Uint8Array(await crypto.subtle.decrypt(parameters, found.wrapping, found.wrapped.slice(KEY_NONCE)));
  } catch (cause) {
    throw clientError('ERR_CLIENT_STATE_DAMAGED', { cause });
  }
}

async function makeStorageKey(database: IDBDatabase): Promise<Uint8Array> {
  const wrapping = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
  const storageKey = crypto.getRandomValues(new Uint8Array(STORAGE_KEY_LENGTH));
  const nonce = crypto.getRandomValues(new Uint8Array(KEY_NONCE));
  const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv: nonce }, wrapping, storageKey));
  const wrapped = new Uint8Array(KEY_NONCE + sealed.length);
  wrapped.set(nonce);
  wrapped.set(sealed, KEY_NONCE);
  await addKey(database, 'storage', { wrapping, wrapped }, 'ERR_CLIENT_STORE_BUSY');
  return storageKey;
}

/** Answers how to let go; the browser lets go by itself when the tab ends. */
function lock(name: string): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const held = navigator.locks.request(name, { ifAvailable: true }, (granted) => {
      if (granted === null) throw clientError('ERR_CLIENT_STORE_BUSY');
      return new Promise<void>((release) => resolve(() => release()));
    });
    held.catch(reject);
  });
}
