/**
 * What an earlier run that crashed left in the cluster's folder, made good before the next start. A
 * PostgreSQL that still works there is stopped, after proof that it works in this very folder and that
 * no living sealpost owns it. PostgreSQL removes a lock file of a dead process itself; we remove one
 * only when its process id now belongs to a stranger or a zombie and no PostgreSQL works in the folder, because
 * the file also guards the shared memory of a half-dead server.
 */
import { readFileSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { errnoOf, PostgresError } from './postgres-errors.ts';
import {
  isAlive,
  isGone,
  isPostgres,
  pidOf,
  type ServerProcess,
  serversIn,
  signal,
  stillRuns,
  waitUntil,
} from './process-table.ts';
import { PORT } from './socket-dir.ts';

export type Patience = {
  /** How long a server may take for a fast shutdown, with its checkpoint. */
  fastMs: number;
  /** How long it may take afterwards to drop everything; the next start then recovers. */
  immediateMs: number;
};

export const defaultPatience: Patience = { fastMs: 60_000, immediateMs: 10_000 };

/** Throws ERR_POSTGRES_IN_USE or ERR_POSTGRES_ORPHAN_STUCK; returns when a server may start in `dataDir`. */
export const clearLeftovers = async (
  dataDir: string,
  onLog: (message: string) => void,
  patience: Patience = defaultPatience,
): Promise<void> => {
  const folder = realpathSync(dataDir);
  const servers = serversIn(folder);
  refuseWhileOwned(folder, servers);
  await stopOrphans(folder, servers, onLog, patience);
  removeLockOfStranger(join(folder, 'postmaster.pid'), () => serversIn(folder).length > 0, onLog);
};

/** The same for the lock beside the socket, where any PostgreSQL that holds it keeps it. */
export const clearSocketLock = (socketDir: string, onLog: (message: string) => void): void =>
  removeLockOfStranger(join(socketDir, `.s.PGSQL.${PORT}.lock`), isPostgres, onLog);

const refuseWhileOwned = (folder: string, servers: readonly ServerProcess[]): void => {
  const owned = servers.find(({ owner }) => owner !== undefined && stillRuns(owner));
  if (!owned?.owner) return;
  throw new PostgresError('ERR_POSTGRES_IN_USE', { path: folder, pid: owned.pid, owner: pidOf(owned.owner) });
};

/** Only what was looked at is signalled: a server that another sealpost starts meanwhile is not touched. */
const stopOrphans = async (
  folder: string,
  servers: readonly ServerProcess[],
  onLog: (message: string) => void,
  patience: Patience,
): Promise<void> => {
  if (servers.length === 0) return;
  const pids = heads(servers);
  const gone = () => !servers.some(({ pid }) => isAlive(pid));
  onLog(`stopping a PostgreSQL left over from a crash (process ${pids.join(', ')})`);
  try {
    for (const pid of pids) signal(pid, 'SIGINT');
    if (await waitUntil(gone, patience.fastMs)) return;
    for (const pid of pids) signal(pid, 'SIGQUIT');
    if (await waitUntil(gone, patience.immediateMs)) return;
  } catch (error) {
    throw new PostgresError('ERR_POSTGRES_ORPHAN_STUCK', { path: folder, pids: pids.join(' ') }, error);
  }
  throw new PostgresError('ERR_POSTGRES_ORPHAN_STUCK', { path: folder, pids: pids.join(' ') });
};

/** The postmaster, or its children when it is dead: those whose parent does not work in the folder. */
const heads = (servers: readonly ServerProcess[]): number[] => {
  const all = new Set(servers.map(({ pid }) => pid));
  return servers.filter(({ parent }) => !all.has(parent)).map(({ pid }) => pid);
};

/** The file is read before anyone looks for its writer, who was there before it wrote. */
const removeLockOfStranger = (
  file: string,
  isHeld: (pid: number) => boolean,
  onLog: (message: string) => void,
): void => {
  const pid = readLock(file);
  if (pid === undefined || (pid > 0 && isGone(pid)) || isHeld(pid)) return;
  rmSync(file, { force: true });
  onLog(`removed the stale lock file ${file}: process ${pid} is not the PostgreSQL that wrote it`);
};

/** The process id in the first line (a standalone backend writes it negative); undefined without a file; 0 when unreadable. */
const readLock = (file: string): number | undefined => {
  try {
    const pid = Math.abs(Number.parseInt(readFileSync(file, 'utf8'), 10));
    return Number.isNaN(pid) ? 0 : pid;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
};
