/**
 * Reading a backup from its first line to its last, believing nothing before the last: digests of every table, the hash of
 * every blob, the hash of all lines, and over all that the signature of the zone under the organisation's root.
 */
import { createHash, type Hash } from 'node:crypto';
import type { UnwrappingKey } from '@sealpost/crypto/open';
import { verifyJws, verifyTrust } from '@sealpost/crypto/verify';
import { fromBase64url, fromUtf8, type Trust, toBase64url } from '@sealpost/protocol';
import { backupErrorAt } from './backup-errors.ts';
import {
  type Item,
  isRow,
  MANIFEST_TYPE,
  type Manifest,
  manifestSchema,
  type Row,
  readLine,
} from './contents-schema.ts';
import { createTableDigest, type TableDigest } from './digest.ts';
import { dispatchKeyId } from './dispatch-key-schema.ts';
import { readHead, readSealedFile } from './sealed-file.ts';

export interface Observer {
  /** Each line but the last, in order; `table` says where a row belongs. */
  line(line: Row | Exclude<Item, { kind: 'end' }>, table: string): Promise<void> | void;
}

export interface WalkedBackup {
  readonly manifest: Manifest;
  readonly trust: Trust;
}

/** `trust`: of the organisation whose backup it must be, from the operator's folder. Throws ERR_BACKUP_…. */
export async function walkBackup(
  path: string,
  key: UnwrappingKey,
  trust: Trust,
  observers: readonly Observer[] = [],
): Promise<WalkedBackup> {
  const { zone } = await readHead(path);
  const seen = startSeeing();
  let end: string | undefined;
  for await (const text of readSealedFile(path, key)) {
    const line = readLine(text);
    if (line === undefined || end !== undefined)
      throw backupErrorAt('ERR_BACKUP_ALTERED', path, 'holds a line of no known kind');
    if (!isRow(line) && line.kind === 'end') {
      end = line.manifest;
      continue;
    }
    seen.line(text, line);
    for (const observer of observers) await observer.line(line, seen.table());
  }
  if (end === undefined) throw backupErrorAt('ERR_BACKUP_CUT', path, 'has no end');
  const walked = await believe(end, seen, { path, zone, root: trust.root });
  if (walked.trust.organisation !== trust.organisation)
    throw backupErrorAt('ERR_BACKUP_FOREIGN', path, 'other organisation');
  return walked;
}

type Seeing = ReturnType<typeof startSeeing>;

function startSeeing() {
  const contents = createHash('sha256');
  const tables: TableDigest[] = [];
  const keys = new Map<string, Uint8Array>();
  const damagedBlobs: string[] = [];
  let [table, blobs, trust] = ['', 0, ''];
  let blob: { name: string; hash: Hash } | undefined;
  const endBlob = () => {
    if (blob !== undefined && blob.hash.digest('base64url') !== blob.name) damagedBlobs.push(blob.name);
    blob = undefined;
  };
  return {
    table: () => table,
    line(text: string, line: Row | Exclude<Item, { kind: 'end' }>) {
      contents.update(`${text}\n`);
      if (isRow(line)) return tables.at(-1)?.add(line);
      if (line.kind === 'bytes') return blob?.hash.update(line.data);
      endBlob();
      if (line.kind === 'table') {
        table = line.name;
        tables.push(createTableDigest(line.name));
      }
      if (line.kind === 'blob') {
        blobs += 1;
        blob = { name: line.name, hash: createHash('sha256') };
      }
      if (line.kind === 'key') keys.set(line.name, line.data);
      if (line.kind === 'file' && line.name === 'trust') trust = fromUtf8(line.data).trim();
    },
    finish() {
      endBlob();
      return {
        contents: toBase64url(new Uint8Array(contents.digest())),
        tables: tables.map((each) => each.summary()),
        keys,
        blobs,
        damagedBlobs,
        trust,
      };
    },
  };
}

/** From the signed end back to what was read. */
async function believe(
  end: string,
  seeing: Seeing,
  { path, zone, root }: { path: string; zone: Manifest['zone']; root: string },
): Promise<WalkedBackup> {
  const seen = seeing.finish();
  const trusted = await verifyTrust(seen.trust, fromBase64url(root) ?? new Uint8Array());
  if (trusted.kind === 'refused') throw backupErrorAt('ERR_BACKUP_FOREIGN', path, `trust file: ${trusted.reason}`);
  const { trust } = trusted;
  const manifest =
    zone === 'dispatcher' ? await unsignedManifest(end, seen.keys, trust) : await signedManifest(end, zone, trust);
  const problem =
    manifest === undefined
      ? 'the zone did not sign this'
      : manifest.zone !== zone || manifest.organisation !== trust.organisation
        ? 'is of another zone or organisation than it says'
        : manifest.contents !== seen.contents
          ? 'the contents are not those that were signed'
          : JSON.stringify(manifest.tables) !== JSON.stringify(seen.tables)
            ? 'a table is not as it was signed'
            : manifest.keys.join() !== [...seen.keys.keys()].join() || manifest.blobs !== seen.blobs
              ? 'keys or blobs are missing or too many'
              : seen.damagedBlobs.length > 0
                ? 'a blob was damaged before the backup was made'
                : undefined;
  if (manifest === undefined || problem !== undefined) throw backupErrorAt('ERR_BACKUP_ALTERED', path, problem ?? '');
  return { manifest, trust };
}

async function signedManifest(jws: string, zone: 'control' | 'gateway', trust: Trust): Promise<Manifest | undefined> {
  const key = zone === 'control' ? trust.control.submit.jwk : trust.gateway.receipts.jwk;
  const verdict = await verifyJws(jws, { typ: MANIFEST_TYPE, key, schema: manifestSchema });
  return verdict.kind === 'ok' ? verdict.payload : undefined;
}

/** The one thing in it that is worth forging is the key, and that is the one the trust file names, or it is refused. */
async function unsignedManifest(text: string, keys: ReadonlyMap<string, Uint8Array>, trust: Trust) {
  const manifest = manifestSchema.safeParse(jsonOf(text)).data;
  return (await dispatchKeyId(keys.get('dispatch'))) === trust.dispatch.id ? manifest : undefined;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
