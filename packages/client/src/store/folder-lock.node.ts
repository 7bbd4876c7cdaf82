/**
 * One process at a time: a lock file naming its process and when that started, so that a number used again is not taken
 * for the old owner. A lock whose owner is gone is taken over. Two that take over at once are told apart by looking
 * again: `held` is asked before each write, and only one of them still finds its own token there.
 */
import { readFileSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { fromUtf8, toHex, utf8 } from '@sealpost/protocol';
import { clientError } from '../client-errors.ts';
import { codeOf, createFile, readIfThere, removeFile, storeFailure } from './files.node.ts';

export interface FolderLock {
  /** Throws ERR_CLIENT_STORE_BUSY when the lock is no longer ours. */
  held(): Promise<void>;
  release(): Promise<void>;
}

/** Locks of this very process, which /proc cannot tell from a stale one of the same number. */
const own = new Set<string>();

export async function lockFolder(path: string): Promise<FolderLock> {
  const nonce = toHex(crypto.getRandomValues(new Uint8Array(8)));
  const token = `${process.pid} ${startOf(process.pid) ?? '-'} ${nonce}\n`;
  if (own.has(path)) throw busy(path, process.pid);
  own.add(path);
  try {
    await take(path, token, nonce);
  } catch (error) {
    own.delete(path);
    throw error;
  }
  return {
    async held() {
      if ((await tokenAt(path)) !== token) throw busy(path, undefined);
    },
    async release() {
      own.delete(path);
      if ((await tokenAt(path)) === token) await removeFile(path);
    },
  };
}

async function take(path: string, token: string, nonce: string): Promise<void> {
  for (let attempt = 0; attempt < 3; attempt++) {
    if (await createFile(path, utf8(token))) return;
    const found = await tokenAt(path);
    if (found === undefined) continue;
    const [pid = '', started = ''] = found.trim().split(' ');
    if (isAlive(Number(pid), started)) throw busy(path, Number(pid));
    await setAside(path, `${path}.${nonce}`);
  }
  throw busy(path, undefined);
}

/** Only one of several renames of the same file succeeds. */
async function setAside(path: string, aside: string): Promise<void> {
  try {
    await rename(path, aside);
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return;
    throw storeFailure(path, cause);
  }
  await removeFile(aside);
}

async function tokenAt(path: string): Promise<string | undefined> {
  const bytes = await readIfThere(path);
  return bytes === undefined ? undefined : fromUtf8(bytes);
}

function isAlive(pid: number, started: string): boolean {
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false;
  const now = startOf(pid);
  if (now !== undefined) return now === started;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/** Field 22 of /proc/<pid>/stat (proc(5)); `undefined` where there is no /proc or no such process. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

function busy(path: string, pid: number | undefined) {
  const detail = pid === undefined ? 'was taken by another process' : `is held by process ${pid}`;
  return clientError('ERR_CLIENT_STORE_BUSY', { details: [{ pointer: path, detail }] });
}
