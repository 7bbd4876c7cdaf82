/**
 * A store in one folder. Each value is a file of its own, sealed under the store's key, which is itself sealed under the
 * key-encryption key in `kekFile`. A batch is first written as a journal: once that is in place the batch has happened,
 * and whoever opens the folder after a crash finishes it. Keep the KEK on another medium: beside the folder it protects
 * only copies made without it.
 */
import { readdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { openState } from '@sealpost/crypto/open';
import { sealState } from '@sealpost/crypto/seal';
import { createSigningKey, type Signer, signerFromJwk } from '@sealpost/crypto/signer';
import { canonicalBytes } from '@sealpost/protocol';
import { clientError } from '../client-errors.ts';
import { createSerial } from '../serial.ts';
import {
  createFile,
  makeFolder,
  readIfThere,
  removeFile,
  replaceFile,
  storeFailure,
  syncFolder,
} from './files.node.ts';
import { type FolderLock, lockFolder } from './folder-lock.node.ts';
import { decodeJournal, encodeJournal } from './journal-schema.ts';
import { openValue, STORAGE_KEY_LENGTH, sealValue } from './sealed-value.ts';
import { privateJwkOf } from './signer-schema.ts';
import type { DeviceStore, StoreChanges } from './store.ts';

const SIGNER = 'signer';
const KEY_CONTEXT = { purpose: 'device-store-key', version: 1 };

interface Folder {
  readonly path: string;
  readonly values: string;
  readonly journal: string;
  readonly lock: FolderLock;
  readonly storageKey: Uint8Array;
}

/** Opens or makes the store; makes `kekFile` too when neither exists. Throws ERR_CLIENT_STORE_BUSY while another holds it. */
export async function createFileStore(path: string, kekFile: string): Promise<DeviceStore> {
  const root = resolve(path);
  await makeFolder(root);
  const lock = await lockFolder(join(root, 'lock'));
  try {
    const values = join(root, 'values');
    await makeFolder(values);
    const storageKey = await storageKeyOf(root, resolve(kekFile));
    const folder = { path: root, values, journal: join(root, 'journal'), lock, storageKey };
    await finishJournal(folder);
    return storeIn(folder);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

function storeIn(folder: Folder): DeviceStore {
  const serial = createSerial();
  const { storageKey } = folder;
  let closed = false;
  // A batch whose journal is in place but that could not be applied has happened: it is finished before anything else.
  let unfinished = false;
  const run = <T>(work: () => Promise<T>): Promise<T> => {
    if (closed) return Promise.reject(clientError('ERR_CLIENT_CLOSED'));
    return serial.run(async () => {
      if (unfinished) {
        await folder.lock.held();
        await finishJournal(folder);
        unfinished = false;
      }
      return work();
    });
  };
  const readNow = async (name: string) => {
    const sealed = await readIfThere(fileOf(folder, name));
    return sealed === undefined ? undefined : openValue(name, sealed, storageKey);
  };
  const writeNow = async (changes: StoreChanges) => {
    const sealed = new Map<string, Uint8Array | null>();
    for (const [name, value] of changes)
      sealed.set(name, value === null ? null : await sealValue(name, value, storageKey));
    unfinished = true;
    await writeBatch(folder, sealed);
    unfinished = false;
  };
  const signer = async (): Promise<Signer | undefined> => {
    const stored = await readNow(SIGNER);
    return stored === undefined ? undefined : signerFromJwk(privateJwkOf(stored));
  };
  return {
    read: (name) => run(() => readNow(name)),
    write: (changes) => run(() => writeNow(changes)),
    list: (prefix) => run(() => namesIn(folder, prefix)),
    signer: () => run(signer),
    createSigner: () =>
      run(async () => {
        if ((await signer()) !== undefined) throw clientError('ERR_CLIENT_ENROLLED');
        const made = await createSigningKey('ES256');
        await writeNow(new Map([[SIGNER, canonicalBytes(made.privateJwk)]]));
        return made.signer;
      }),
    async close() {
      if (closed) return;
      closed = true;
      await serial.idle();
      await folder.lock.release();
    },
  };
}

function fileOf({ values }: Folder, name: string): string {
  return join(values, encodeURIComponent(name));
}

async function namesIn({ values }: Folder, prefix: string): Promise<string[]> {
  try {
    const files = await readdir(values);
    return files
      .filter((file) => !file.endsWith('.tmp'))
      .map(decodeURIComponent)
      .filter((name) => name.startsWith(prefix));
  } catch (cause) {
    throw storeFailure(values, cause);
  }
}

async function writeBatch(folder: Folder, sealed: StoreChanges): Promise<void> {
  await folder.lock.held();
  await replaceFile(folder.journal, encodeJournal(sealed));
  await syncFolder(folder.path);
  await apply(folder, sealed);
}

/** May be repeated: it says what each value is, not how it changes. */
async function apply(folder: Folder, sealed: StoreChanges): Promise<void> {
  for (const [name, value] of sealed) {
    if (value === null) await removeFile(fileOf(folder, name));
    else await replaceFile(fileOf(folder, name), value);
  }
  await syncFolder(folder.values);
  await removeFile(folder.journal);
}

async function finishJournal(folder: Folder): Promise<void> {
  const bytes = await readIfThere(folder.journal);
  if (bytes === undefined) return;
  const changes = decodeJournal(bytes);
  if (changes === undefined)
    throw clientError('ERR_CLIENT_STATE_DAMAGED', {
      details: [{ pointer: folder.journal, detail: 'is not a journal' }],
    });
  await apply(folder, changes);
}

async function storageKeyOf(root: string, kekFile: string): Promise<Uint8Array> {
  const file = join(root, 'store.key');
  const sealed = await readIfThere(file);
  if (sealed === undefined) {
    const storageKey = crypto.getRandomValues(new Uint8Array(STORAGE_KEY_LENGTH));
    await replaceFile(file, await sealState(storageKey, await kekIn(kekFile, true), KEY_CONTEXT));
    await syncFolder(root);
    return storageKey;
  }
  const verdict = await openState(sealed, await kekIn(kekFile, false), KEY_CONTEXT);
  if (verdict.kind === 'ok' && verdict.state.length === STORAGE_KEY_LENGTH) return verdict.state;
  const newer = verdict.kind === 'refused' && verdict.reason === 'newer-format';
  throw clientError(newer ? 'ERR_CLIENT_STATE_NEWER' : 'ERR_CLIENT_STATE_DAMAGED', {
    details: [{ pointer: file, detail: 'does not open with this key-encryption key' }],
  });
}

/** A KEK is made only for a new store: for an old one a missing KEK must be found, not replaced. */
async function kekIn(path: string, mayMake: boolean): Promise<Uint8Array> {
  if (mayMake) {
    await makeFolder(dirname(path));
    await createFile(path, crypto.getRandomValues(new Uint8Array(STORAGE_KEY_LENGTH)));
  }
  const kek = await readIfThere(path);
  if (kek?.length === STORAGE_KEY_LENGTH) return kek;
  throw clientError('ERR_CLIENT_KEK', {
    details: [{ pointer: path, detail: kek === undefined ? 'does not exist' : 'is not 32 bytes long' }],
  });
}
