/**
 * The cluster on disk: created once, beside its final place and moved there in one rename, so a crash
 * in the middle leaves no half cluster; later only checked. Checksums on, UTF-8, code point order by
 * the builtin provider (independent of the machine's libraries), scram-sha-256 for every connection.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { chown, lchown, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import type { Binaries } from './binaries.ts';
import { errnoOf, PostgresError, reasonOf } from './postgres-errors.ts';
import { isAlive } from './process-table.ts';
import { asServerUser, run, type ServerUser } from './server-user.ts';
import { SUPERUSER, syncFolder } from './superuser.ts';

export type ClusterState = 'absent' | 'present';

/** Whether there is a cluster of our major version. Throws ERR_POSTGRES_VERSION_MISMATCH or ERR_POSTGRES_FOLDER_FOREIGN. */
export const inspectCluster = async (dataDir: string, carried: string): Promise<ClusterState> => {
  const found = await readVersion(dataDir);
  if (found === carried) return 'present';
  if (found !== undefined) throw new PostgresError('ERR_POSTGRES_VERSION_MISMATCH', { path: dataDir, found, carried });
  if (!existsSync(dataDir) || readdirSync(dataDir).length === 0) return 'absent';
  throw new PostgresError('ERR_POSTGRES_FOLDER_FOREIGN', { path: dataDir });
};

/**
 * Creates the cluster. Of two creators at once the second finds the place taken and keeps the first
 * one's, which has the same password. `unsafeNoSync` skips the flush to disk.
 * Throws ERR_POSTGRES_INITDB_FAILED or ERR_POSTGRES_FOLDER_UNWRITABLE.
 */
export const createCluster = async (
  dataDir: string,
  binaries: Binaries,
  user: ServerUser,
  password: string,
  unsafeNoSync: boolean,
): Promise<void> => {
  await removeAbandonedDrafts(dataDir);
  const draft = `${dataDir}.init-${process.pid}`;
  const passwordFile = join(draft, 'password');
  try {
    await mkdir(draft, { mode: 0o700 });
    await writeFile(passwordFile, `${password}\n`, { flag: 'wx', mode: 0o600 });
    if (user.dropsRoot) await giveTo(user, [passwordFile, draft]);
    await initdb(dataDir, join(draft, 'cluster'), passwordFile, binaries, user, unsafeNoSync);
    await rename(join(draft, 'cluster'), dataDir).catch(unlessTaken);
    await syncFolder(dirname(dataDir));
  } catch (error) {
    if (error instanceof PostgresError) throw error;
    throw new PostgresError('ERR_POSTGRES_FOLDER_UNWRITABLE', { path: dataDir, reason: reasonOf(error) }, error);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
};

/** Gives a cluster that belongs to another user, root for one, to the server's user. Links are not followed. */
export const ownCluster = async (dataDir: string, user: ServerUser): Promise<void> => {
  if (!user.dropsRoot || statSync(dataDir).uid === user.uid) return;
  for (const entry of await readdir(dataDir, { recursive: true, withFileTypes: true })) {
    await lchown(join(entry.parentPath, entry.name), user.uid, user.gid);
  }
  await chown(dataDir, user.uid, user.gid);
};

/** The last lines of an output on one line, for a message. */
export const lastLines = (output: string, count = 3): string =>
  output
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .slice(-count)
    .join('; ') || 'it printed nothing';

const initdb = async (
  dataDir: string,
  target: string,
  passwordFile: string,
  binaries: Binaries,
  user: ServerUser,
  unsafeNoSync: boolean,
): Promise<void> => {
  const args = [
    `--pgdata=${target}`,
    `--username=${SUPERUSER}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--data-checksums',
    '--no-instructions',
    ...(unsafeNoSync ? ['--no-sync'] : []),
  ];
  const { code, output } = await run(asServerUser(user, binaries.initdb, args));
  if (code !== 0) {
    throw new PostgresError('ERR_POSTGRES_INITDB_FAILED', { path: dataDir, output: lastLines(output) });
  }
};

const readVersion = async (dataDir: string): Promise<string | undefined> => {
  try {
    return (await readFile(join(dataDir, 'PG_VERSION'), 'utf8')).trim();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw new PostgresError('ERR_POSTGRES_FOLDER_UNWRITABLE', { path: dataDir, reason: reasonOf(error) }, error);
  }
};

/** A creator that was killed leaves its draft, with a password file in it; those of the dead go. */
const removeAbandonedDrafts = async (dataDir: string): Promise<void> => {
  const prefix = `${basename(dataDir)}.init-`;
  for (const name of await readdir(dirname(dataDir))) {
    const pid = name.startsWith(prefix) ? Number(name.slice(prefix.length)) : Number.NaN;
    if (Number.isInteger(pid) && (pid === process.pid || !isAlive(pid))) {
      await rm(join(dirname(dataDir), name), { recursive: true, force: true });
    }
  }
};

const giveTo = async (user: ServerUser, paths: readonly string[]): Promise<void> => {
  for (const path of paths) await chown(path, user.uid, user.gid);
};

const unlessTaken = (error: unknown): void => {
  if (errnoOf(error) !== 'ENOTEMPTY' && errnoOf(error) !== 'EEXIST') throw error;
};
