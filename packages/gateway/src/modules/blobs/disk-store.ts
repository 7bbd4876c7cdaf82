/**
 * Blobs in a folder: written to a temporary file, flushed, renamed, and the folder flushed, so that after a crash a name
 * has all its bytes or does not exist. What a crash left half-written is removed at start.
 */
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Surroundings } from '@sealpost/platform';
import type { BlobId } from '@sealpost/protocol';
import type { BlobStore } from './blob-store.ts';

/** Folders below, so that none grows past what listing can bear. */
const SHARD_LETTERS = 2;

/** One process a folder: what it finds half-written at start is nobody’s. */
export async function openDiskStore(folder: string, surroundings: Pick<Surroundings, 'uuid'>): Promise<BlobStore> {
  const arriving = join(folder, 'arriving');
  await rm(arriving, { recursive: true, force: true });
  await mkdir(arriving, { recursive: true, mode: 0o700 });
  await flushFolder(folder);
  const folderOf = (blob: BlobId) => join(folder, 'blobs', blob.slice(0, SHARD_LETTERS));

  return {
    async put(blob, bytes) {
      const temporary = join(arriving, surroundings.uuid());
      try {
        const size = await write(temporary, bytes);
        await makeFolder(folder, folderOf(blob));
        await rename(temporary, join(folderOf(blob), blob));
        await flushFolder(folderOf(blob));
        return size;
      } catch (cause) {
        await rm(temporary, { force: true });
        throw cause;
      }
    },
    async open(blob) {
      const file = await openIfThere(join(folderOf(blob), blob));
      if (file === undefined) return undefined;
      const { size } = await file.stat();
      return { size, bytes: file.createReadStream() };
    },
  };
}

async function write(path: string, bytes: AsyncIterable<Uint8Array>): Promise<number> {
  const file = await open(path, 'wx', 0o600);
  try {
    let size = 0;
    for await (const chunk of bytes) {
      await file.appendFile(chunk);
      size += chunk.length;
    }
    await file.datasync();
    return size;
  } finally {
    await file.close();
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw cause;
  }
}

/** A new folder is durable once those above it are flushed. */
async function makeFolder(root: string, folder: string): Promise<void> {
  if ((await mkdir(folder, { recursive: true, mode: 0o700 })) === undefined) return;
  await flushFolder(join(root, 'blobs'));
  await flushFolder(root);
}

async function flushFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
