/** What is the browser’s own: a store in IndexedDB. The other kind of store says where it belongs. */
import { clientError } from './client-errors.ts';
import type { DeviceStore } from './store/store.ts';

export { createIndexedDbStore, eraseIndexedDbStore } from './store/indexed-db-store.web.ts';

/** A store in a folder, sealed under the key in `kekFile`; refuses in a browser. */
export async function createFileStore(_folder: string, _kekFile: string): Promise<DeviceStore> {
  throw clientError('ERR_CLIENT_PLATFORM');
}
