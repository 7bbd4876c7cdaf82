/** Writing files so that a crash leaves the old or the new one, never half; failures name the path and not the content. */
import { constants } from 'node:fs';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { clientError } from '../client-errors.ts';

/** The system's word for what went wrong, such as ENOENT. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'failed';
}

export function storeFailure(path: string, cause: unknown) {
  return clientError('ERR_CLIENT_STORE', { cause, details: [{ pointer: path, detail: codeOf(cause) }] });
}

/** `undefined` when there is no such file. */
export async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return undefined;
    throw storeFailure(path, cause);
  }
}

export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw storeFailure(path, cause);
  }
}

/** Temporary file, fsync, rename. The name is durable only after `syncFolder` of its folder. */
export async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.tmp`;
  try {
    const file = await open(temporary, 'w', 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (cause) {
    throw storeFailure(path, cause);
  }
}

/** Creates a file that must not exist; answers false when it does. */
export async function createFile(path: string, bytes: Uint8Array): Promise<boolean> {
  try {
    const file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await syncFolder(dirname(path));
    return true;
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') return false;
    throw storeFailure(path, cause);
  }
}

export async function removeFile(path: string): Promise<void> {
  try {
    await rm(path, { force: true });
  } catch (cause) {
    throw storeFailure(path, cause);
  }
}

export async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(path, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch (cause) {
    throw storeFailure(path, cause);
  }
}
