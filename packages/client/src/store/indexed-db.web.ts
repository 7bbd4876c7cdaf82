/** IndexedDB by promises: one database a store, with sealed `values` and the `keys` that cannot be extracted. */
import { clientError } from '../client-errors.ts';

const SCHEMA = 1;

export async function openDatabase(name: string): Promise<IDBDatabase> {
  const request = indexedDB.open(name, SCHEMA);
  request.onupgradeneeded = () => {
    request.result.createObjectStore('values');
    request.result.createObjectStore('keys');
  };
  try {
    return await requestDone(request);
  } catch (error) {
    if (request.error?.name === 'VersionError') throw clientError('ERR_CLIENT_STATE_NEWER', { cause: error });
    throw error;
  }
}

export function requestDone<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(clientError('ERR_CLIENT_STORE', { cause: request.error }));
  });
}

/** `complete` comes once the changes are durable, as far as the browser promises it (`durability: strict`). */
export function transactionDone(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = () => reject(clientError('ERR_CLIENT_STORE', { cause: transaction.error }));
    transaction.oncomplete = () => resolve();
    transaction.onabort = fail;
    transaction.onerror = fail;
  });
}

/** `T` is what this program put under `name`: structured clones come back as they went in. */
export async function readKey<T>(database: IDBDatabase, name: string): Promise<T | undefined> {
  const keys: IDBObjectStore = database.transaction('keys', 'readonly').objectStore('keys');
  return requestDone<T | undefined>(keys.get(name));
}
