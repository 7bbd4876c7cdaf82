/**
 * `sealpost backup restore`: into an empty zone and in one transaction, after the whole file was verified once. What was
 * loaded is read back and compared before anything is committed; keys are wrapped anew by the key-encryption key here.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { UnwrappingKey } from '@sealpost/crypto/open';
import { ensureKek, openDatabase, openKeyStore, type Sql, type Surroundings, writeDurably } from '@sealpost/platform';
import type { Trust } from '@sealpost/protocol';
import { backupErrorAt } from './backup-errors.ts';
import { isRow } from './contents-schema.ts';
import { keyFilesIn, pathOfBlob } from './create.ts';
import { createLoader, type Loader } from './load.ts';
import type { Place } from './place.ts';
import { resume } from './resume.ts';
import type { VerifiedBackup } from './verify.ts';
import { type Observer, walkBackup } from './walk.ts';

export interface RestoreDeps {
  readonly key: UnwrappingKey;
  readonly trust: Trust;
  readonly surroundings: Surroundings;
}

/** Refuses a log that would contradict what it signed, unless that was asked for. Throws ERR_BACKUP_FORGETS. */
export function requireNothingForgotten({ log, outside, file }: VerifiedBackup, unsafeForget: boolean): void {
  if (log === undefined || unsafeForget || outside?.forgets === 0) return;
  const detail =
    outside === undefined
      ? 'nothing was given to compare it with'
      : `${outside.forgets} entries up to ${outside.size} are not in it`;
  throw backupErrorAt('ERR_BACKUP_FORGETS', file, detail);
}

/** Throws ERR_BACKUP_NOT_EMPTY, and then has changed nothing. */
export function requireEmpty(place: Place): void {
  const [key] = keyFilesIn(place);
  if (key !== undefined) throw backupErrorAt('ERR_BACKUP_NOT_EMPTY', place.keys.folder, `holds ${key}`);
  const blobs = join(place.blobs ?? '', 'blobs');
  if (place.blobs !== undefined && existsSync(blobs) && readdirSync(blobs).length > 0)
    throw backupErrorAt('ERR_BACKUP_NOT_EMPTY', blobs, 'holds blobs');
}

export async function restoreBackup(backup: VerifiedBackup, place: Place, deps: RestoreDeps): Promise<void> {
  requireEmpty(place);
  const files = createFileWriter(place);
  const refill = async (loader: Loader | undefined) => {
    const observers = loader === undefined ? [files] : [files, loading(loader)];
    const { manifest } = await walkBackup(backup.file, deps.key, deps.trust, observers);
    if (manifest.contents !== backup.manifest.contents)
      throw backupErrorAt('ERR_BACKUP_ALTERED', backup.file, 'was changed while it was read');
    await loader?.finish(manifest.tables);
  };
  try {
    await withDatabase(
      place,
      async (tx, pointer, migrations) => {
        const loader = await createLoader(tx, { pointer, migrations }, backup.manifest.migrations);
        await refill(loader);
        await resume(tx, backup.manifest, backup.log?.checkpointSize ?? 0, deps.surroundings.now());
      },
      () => refill(undefined),
    );
  } catch (cause) {
    files.undo();
    throw cause;
  }
}

async function withDatabase(
  { database: config, migrations }: Place,
  work: (tx: Sql, pointer: string, migrations: string) => Promise<void>,
  without: () => Promise<void>,
): Promise<void> {
  if (config === undefined || migrations === undefined) return without();
  const { password_file, ...address } = config;
  const database = openDatabase({ ...address, pool: 2, password: readFileSync(password_file, 'utf8').trim() });
  try {
    await database.transaction((tx) => work(tx, address.database, migrations));
  } finally {
    await database.close();
  }
}

function loading(loader: Loader): Observer {
  return {
    line(line) {
      if (isRow(line)) return loader.row(line);
      if (line.kind === 'table') return loader.table(line.name, line.columns);
      if (line.kind === 'sequence') return loader.sequence(line.name, line.value);
    },
  };
}

/** Keys, blobs and files; a file that is there already, as a certificate renewed meanwhile, is kept. */
function createFileWriter(place: Place): Observer & { undo(): void } {
  const made: string[] = [];
  let blob: number | undefined;
  const endBlob = () => {
    if (blob === undefined) return;
    fsyncSync(blob);
    closeSync(blob);
    blob = undefined;
  };
  return {
    line(line) {
      if (isRow(line)) return;
      if (line.kind === 'bytes') return blob === undefined ? undefined : void writeSync(blob, line.data);
      endBlob();
      if (line.kind === 'file') {
        const path = place.files[line.name];
        if (path === undefined || existsSync(path)) return;
        made.push(path);
        writeDurably(path, line.data);
      }
      if (line.kind === 'key') {
        made.push(join(place.keys.folder, `${line.name}.key`));
        mkdirSync(place.keys.folder, { recursive: true, mode: 0o700 });
        ensureKek(place.keys.kek_file);
        openKeyStore(place.keys).createSecret(line.name, line.data);
      }
      if (line.kind === 'blob') {
        const path = pathOfBlob(place.blobs ?? '', line.name);
        mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
        made.push(path);
        blob = openSync(path, 'wx', 0o600);
      }
    },
    undo() {
      endBlob();
      for (const path of made) rmSync(path, { force: true });
    },
  };
}
