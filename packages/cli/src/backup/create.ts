/**
 * Making backups: one file a zone, each holding that zone's database, blobs and lasting keys and nothing of another's. All
 * databases are looked at in the same moment, control's first: a control that knows less than its gateway refuses to send,
 * one that knows more would witness a log the gateway does not have.
 */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { signJws } from '@sealpost/crypto/signer';
import { openDatabase, openKeyStore, type Surroundings } from '@sealpost/platform';
import { toBase64url } from '@sealpost/protocol';
import type { Recipient } from './backup-key-schema.ts';
import {
  CONTENTS_FORMAT,
  type Item,
  MANIFEST_TYPE,
  type Manifest,
  type Row,
  type TableSummary,
} from './contents-schema.ts';
import { createTableDigest } from './digest.ts';
import { filesOf } from './files.ts';
import type { Place } from './place.ts';
import { writeSealedFile } from './sealed-file.ts';
import { openSnapshot, type Snapshot } from './snapshot.ts';

export interface BackupOrder {
  readonly place: Place;
  readonly recipient: Recipient;
  readonly out: string;
}

export interface CreatedBackup {
  readonly zone: string;
  readonly out: string;
  readonly bytes: number;
  readonly rows: number;
  readonly blobs: number;
}

interface Taking {
  readonly order: BackupOrder;
  readonly snapshot: Snapshot | undefined;
}

export async function createBackups(
  orders: readonly BackupOrder[],
  version: string,
  surroundings: Surroundings,
): Promise<CreatedBackup[]> {
  const closing: (() => Promise<void>)[] = [];
  try {
    const taking: Taking[] = [];
    for (const order of inSafeOrder(orders)) taking.push({ order, snapshot: await snapshotOf(order.place, closing) });
    const created: CreatedBackup[] = [];
    for (const one of taking) created.push(await createOne(one, version, surroundings));
    return created;
  } finally {
    for (const close of closing.reverse()) await close();
  }
}

function inSafeOrder(orders: readonly BackupOrder[]): BackupOrder[] {
  const rank = ({ place }: BackupOrder) => ['control', 'gateway', 'dispatcher'].indexOf(place.zone);
  return [...orders].sort((a, b) => rank(a) - rank(b));
}

async function snapshotOf(
  { database: config }: Place,
  closing: (() => Promise<void>)[],
): Promise<Snapshot | undefined> {
  if (config === undefined) return undefined;
  const { password_file, ...address } = config;
  const database = openDatabase({ ...address, password: readFileSync(password_file, 'utf8').trim() });
  closing.push(() => database.close());
  const snapshot = await openSnapshot(database);
  closing.push(() => snapshot.close());
  return snapshot;
}

async function createOne({ order, snapshot }: Taking, version: string, surroundings: Surroundings) {
  const { place, recipient, out } = order;
  let told: Manifest | undefined;
  const lines = linesOf(place, snapshot, { version, taken: surroundings.now() }, (manifest) => {
    told = manifest;
  });
  const bytes = await writeSealedFile(out, recipient, place.zone, lines);
  const rows = told?.tables.reduce((sum, table) => sum + table.rows, 0) ?? 0;
  return { zone: place.zone, out, bytes, rows, blobs: told?.blobs ?? 0 };
}

/** Files, keys, tables, sequences, blobs, and at the end what all that was. */
async function* linesOf(
  place: Place,
  snapshot: Snapshot | undefined,
  made: Pick<Manifest, 'version' | 'taken'>,
  onManifest: (manifest: Manifest) => void,
): AsyncGenerator<string> {
  const contents = createHash('sha256');
  const line = (value: Row | object) => {
    const text = JSON.stringify(value);
    contents.update(`${text}\n`);
    return text;
  };
  for (const [name, path] of filesOf(place))
    yield line({ kind: 'file', name, data: readFileSync(path).toString('base64') });
  const store = openKeyStore(place.keys);
  const keys = place.keyNames.filter(store.hasSecret);
  for (const name of keys)
    yield line({ kind: 'key', name, data: Buffer.from(store.readSecret(name)).toString('base64') });
  const tables: TableSummary[] = [];
  for (const table of snapshot?.tables ?? []) {
    const digest = createTableDigest(table.name);
    yield line({ kind: 'table', name: table.name, columns: table.columns.map(({ name }) => name) });
    for await (const row of snapshot?.rows(table) ?? []) {
      digest.add(row);
      yield line(row);
    }
    tables.push(digest.summary());
  }
  for (const { name, value } of (await snapshot?.sequences()) ?? []) yield line({ kind: 'sequence', name, value });
  const blobs = await blobsOf(place, snapshot);
  for (const name of blobs) {
    yield line({ kind: 'blob', name });
    for await (const data of createReadStream(pathOfBlob(place.blobs ?? '', name)))
      yield line({ kind: 'bytes', data: Buffer.from(data).toString('base64') });
  }
  const checkpoint = await newestCheckpoint(place, snapshot);
  const manifest: Manifest = {
    v: CONTENTS_FORMAT,
    zone: place.zone,
    organisation: place.organisation,
    ...made,
    migrations: await migrationsOf(snapshot),
    tables,
    keys,
    leftOut: keyFilesIn(place).length - keys.length,
    blobs: blobs.length,
    ...(checkpoint === undefined ? {} : { checkpoint }),
    contents: toBase64url(new Uint8Array(contents.digest())),
  };
  onManifest(manifest);
  const end: Item = { kind: 'end', manifest: await signed(manifest, place) };
  yield JSON.stringify(end);
}

/** Control signs with the key of its submissions, the gateway with that of its receipts; `typ` keeps the two uses apart. */
async function signed(manifest: Manifest, { zone, keys }: Place): Promise<string> {
  if (zone === 'dispatcher') return JSON.stringify(manifest);
  const signer = await openKeyStore(keys).signer(zone === 'control' ? 'submit' : 'receipts');
  return signJws(MANIFEST_TYPE, manifest, signer);
}

/** Only what a row names: a blob is written before its row, and one without is nobody's. */
async function blobsOf({ blobs }: Place, snapshot: Snapshot | undefined): Promise<string[]> {
  if (blobs === undefined || snapshot === undefined) return [];
  const rows = await snapshot.sql.query<{ blob: string }>('backup-blobs', 'SELECT blob FROM blob ORDER BY blob');
  return rows.map(({ blob }) => blob);
}

/** As the gateway's disk store lays them out. */
export function pathOfBlob(folder: string, blob: string): string {
  return join(folder, 'blobs', blob.slice(0, 2), blob);
}

async function newestCheckpoint({ zone }: Place, snapshot: Snapshot | undefined): Promise<string | undefined> {
  if (zone !== 'gateway' || snapshot === undefined) return undefined;
  const text = 'SELECT note FROM log_checkpoint ORDER BY size DESC LIMIT 1';
  return (await snapshot.sql.query<{ note: string }>('backup-checkpoint', text))[0]?.note;
}

async function migrationsOf(snapshot: Snapshot | undefined): Promise<number[]> {
  if (snapshot === undefined) return [];
  const text = 'SELECT number FROM migration ORDER BY number';
  return (await snapshot.sql.query<{ number: number }>('backup-migrations', text)).map(({ number }) => number);
}

export function keyFilesIn({ keys }: Pick<Place, 'keys'>): string[] {
  return existsSync(keys.folder) ? readdirSync(keys.folder).filter((name) => name.endsWith('.key')) : [];
}
