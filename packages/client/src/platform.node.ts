/** What is Node’s own: a store in a folder. The other kind of store says where it belongs. */
import { clientError } from './client-errors.ts';
import type { DeviceStore } from './store/store.ts';

export { createFileStore } from './store/file-store.node.ts';

/** A store in the browser’s IndexedDB; refuses in Node. */
export async function createIndexedDbStore(_name: string): Promise<DeviceStore> {
  throw clientError('ERR_CLIENT_PLATFORM');
}

/** Removes such a store; refuses in Node. */
export async function eraseIndexedDbStore(_name: string): Promise<void> {
  throw clientError('ERR_CLIENT_PLATFORM');
}
