/** The browser's store, in a browser. */
import { utf8 } from '@sealpost/protocol';
import { describe, expect, it } from 'vitest';
import { createFileStore, createIndexedDbStore } from '../src/index.ts';
import { storeContract } from './store.contract.ts';

// Node has no IndexedDB; its own store runs the same contract in file-store.node.test.ts.
const inBrowser = typeof indexedDB !== 'undefined';
let stores = 0;

const done = <T>(request: IDBRequest<T>) =>
  new Promise<T>((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

async function changed(database: string, name: string, at: (length: number) => number): Promise<void> {
  const open = await done(indexedDB.open(database));
  const values = open.transaction('values', 'readwrite').objectStore('values');
  const value = (await done(values.get(name))) as Uint8Array;
  value[at(value.length)] = (value[at(value.length)] ?? 0) ^ 2;
  await done(values.put(value, name));
  open.close();
}

describe.skipIf(!inBrowser)('the IndexedDB store', () => {
  storeContract(async () => {
    const name = `test-${Math.trunc(performance.timeOrigin)}-${stores++}`;
    return { open: () => createIndexedDbStore(name), flip: (value, at) => changed(`sealpost/${name}`, value, at) };
  });

  it('keeps its signature key where script cannot take it out', async () => {
    const name = `test-key-${Math.trunc(performance.timeOrigin)}`;
    const store = await createIndexedDbStore(name);
    await store.createSigner();
    await store.write(new Map([['message/a', utf8('in clear nowhere')]]));
    await store.close();
    const open = await done(indexedDB.open(`sealpost/${name}`));
    const keys = open.transaction('keys', 'readonly').objectStore('keys');
    const { privateKey } = (await done(keys.get('signer'))) as { privateKey: CryptoKey };
    expect(privateKey.extractable).toBe(false);
    const sealed = (await done(open.transaction('values').objectStore('values').get('message/a'))) as Uint8Array;
    expect(new TextDecoder('latin1').decode(sealed)).not.toContain('clear');
    open.close();
  });
});

describe('a store of the other platform', () => {
  it('says where it belongs', async () => {
    const foreign = inBrowser ? createFileStore('/nowhere', '/nowhere/kek') : createIndexedDbStore('nothing');
    await expect(foreign).rejects.toMatchObject({ code: 'ERR_CLIENT_PLATFORM' });
  });
});
