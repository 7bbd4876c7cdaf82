/**
 * The folder of the unix socket, the only way in. It is short, because Linux limits the path of a
 * socket; it belongs to the server's user with mode 0700, so root and that user pass and nobody else
 * does; with `clientGid` it has mode 0710 and members of that group pass too. A folder somebody else
 * made is refused, never taken over.
 */
import { createHash } from 'node:crypto';
import { lstatSync, type Stats } from 'node:fs';
import { chmod, chown, mkdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';

import { errnoOf, PostgresError, reasonOf } from './postgres-errors.ts';
import type { ServerUser } from './server-user.ts';

/** PostgreSQL puts the port into the name of the socket; it opens no TCP port. */
export const PORT = 5432;

/** struct sockaddr_un holds 108 bytes with the closing zero (unix(7)); one is kept in hand. */
const PATH_LIMIT = 107;

export type SocketDirOptions = {
  dataDir: string;
  /** Absolute; the default is derived from `dataDir`, so each cluster has its own. */
  socketDir?: string | undefined;
  /** The value of XDG_RUNTIME_DIR where there is one; used by users other than root. */
  runtimeDir?: string | undefined;
  /** The group whose members may connect besides root and the server's user. */
  clientGid?: number | undefined;
};

/** The folder to use, not yet made. Throws ERR_POSTGRES_SOCKET_PATH_TOO_LONG. */
export const chooseSocketDir = (options: SocketDirOptions): string => {
  const folder = options.socketDir ?? defaultSocketDir(options.dataDir, options.runtimeDir);
  const path = join(folder, `.s.PGSQL.${PORT}`);
  const bytes = new TextEncoder().encode(path).length;
  if (bytes >= PATH_LIMIT) throw new PostgresError('ERR_POSTGRES_SOCKET_PATH_TOO_LONG', { path, bytes });
  return folder;
};

/** Makes the folder or checks the one that is there. Throws ERR_POSTGRES_SOCKET_DIR_FOREIGN. */
export const makeSocketDir = async (folder: string, user: ServerUser, clientGid?: number): Promise<void> => {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const stranger = strangeness(lstatSync(folder), user);
    if (stranger) throw new PostgresError('ERR_POSTGRES_SOCKET_DIR_FOREIGN', { path: folder, reason: stranger });
    if (user.dropsRoot || clientGid !== undefined) await chown(folder, user.uid, clientGid ?? user.gid);
    await chmod(folder, clientGid === undefined ? 0o700 : 0o710);
  } catch (error) {
    if (error instanceof PostgresError) throw error;
    throw new PostgresError('ERR_POSTGRES_SOCKET_DIR_FOREIGN', { path: folder, reason: reasonOf(error) }, error);
  }
};

/** Removes the folder when it is empty; one that holds anything, or is gone, is left as it is. */
export const removeSocketDir = async (folder: string): Promise<void> => {
  await rmdir(folder).catch((error: unknown) => {
    if (!['ENOENT', 'ENOTEMPTY', 'EEXIST', 'EACCES', 'EPERM', 'EBUSY'].includes(errnoOf(error) ?? '')) throw error;
  });
};

const defaultSocketDir = (dataDir: string, runtimeDir: string | undefined): string => {
  const hash = createHash('sha256').update(dataDir).digest('hex').slice(0, 8);
  const uid = process.getuid?.() ?? 0;
  if (uid === 0) return `/run/sealpost-${hash}`;
  return join(runtimeDir ?? '/tmp', `sealpost-${uid}-${hash}`);
};

/** Why the folder is not ours, or undefined when it is. In /tmp anyone could have made it first. */
const strangeness = (stats: Stats, user: ServerUser): string | undefined => {
  if (!stats.isDirectory()) return 'it is not a folder';
  const ours = [user.uid, process.getuid?.()];
  return ours.includes(stats.uid) ? undefined : `it belongs to user id ${stats.uid}`;
};
