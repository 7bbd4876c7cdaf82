/**
 * The superuser's password: generated once, kept in a file that only the user who starts sealpost can
 * read, outside the folder PostgreSQL owns. It exists before the cluster does, and of two first starts
 * at once one creates it and both use it; so a cluster without its password cannot come about.
 */
import { randomBytes } from 'node:crypto';
import { link, open, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

import { errnoOf, PostgresError, reasonOf } from './postgres-errors.ts';

/** The role that owns the cluster. Deployables never use it; each has a role of its own. */
export const SUPERUSER = 'sealpost_superuser';

/** 256 random bits as 43 characters. */
export const newPassword = (): string => randomBytes(32).toString('base64url');

/** The stored password, or undefined when there is no such file. Throws ERR_POSTGRES_FOLDER_UNWRITABLE when it is not ours to read. */
export const readPassword = async (file: string): Promise<string | undefined> => {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw new PostgresError('ERR_POSTGRES_FOLDER_UNWRITABLE', { path: file, reason: reasonOf(error) }, error);
  }
};

/**
 * Stores `candidate` unless a password is stored already, and returns the one that is stored. The file
 * gets its name only when it is complete and on disk, and never replaces another.
 */
export const storePassword = async (file: string, candidate: string): Promise<string> => {
  const draft = `${file}.draft-${process.pid}`;
  try {
    await rm(draft, { force: true });
    await writeDurably(draft, candidate);
    await link(draft, file).catch((error: unknown) => {
      if (errnoOf(error) !== 'EEXIST') throw error;
    });
    await syncFolder(dirname(file));
  } catch (error) {
    throw new PostgresError('ERR_POSTGRES_FOLDER_UNWRITABLE', { path: file, reason: reasonOf(error) }, error);
  } finally {
    await rm(draft, { force: true });
  }
  return (await readPassword(file)) ?? candidate;
};

/** Makes names created or renamed in the folder survive a power failure. */
export const syncFolder = async (folder: string): Promise<void> => {
  await using handle = await open(folder, 'r');
  await handle.sync();
};

/** `wx` refuses a link somebody laid there; mode 0600 holds from the first byte. */
const writeDurably = async (path: string, text: string): Promise<void> => {
  await using handle = await open(path, 'wx', 0o600);
  await handle.writeFile(`${text}\n`);
  await handle.sync();
};
