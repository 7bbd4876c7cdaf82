/**
 * The lines of a log export, `sealpost-log/1`. A file is UTF-8 text, each line one JSON object in canonical form (RFC 8785)
 * ended by a newline: a header; the entries in order; after every 256th entry and after the last, a block line; the end.
 *
 *     {"format":"sealpost-log/1","logKey":"…","origin":"…","size":300,"sum":"…"}
 *     {"lane":3,"leaf":"…","leafHash":"…","place":"…","position":0,"record":"…","salt":"…","seq":17}
 *     {"erased":true,"lane":3,"leaf":"…","leafHash":"…","place":"…","position":1,"seq":18}
 *     {"block":0,"hash":"…"}
 *     {"checkpoint":"…","sum":"…"}
 *
 * `leaf`, `leafHash`, `salt`, `hash` and `sum` are base64. `hash` is the root over the block's leaf hashes; for a full
 * block that is the C2SP level 1 tile hash of the same number. What the log signs is the leaves and their order. `lane` and
 * `seq` are the exporter's statement: `place`, like the two sums, is a checksum that finds a changed byte and names it; it
 * stops no exporter from writing another lane. Who needs those proved puts them into the record.
 *
 * Parsers answer `undefined` for any line that is not exactly what the matching writer below gives for its values.
 */
import { toBase64, toHex, utf8 } from '../bytes.ts';
import type { Sha256 } from '../tree/hashing.ts';

export const EXPORT_FORMAT = 'sealpost-log/1';
export const BLOCK_SIZE = 256;

export type HeaderLine = { readonly logKey: string; readonly origin: string; readonly size: number };

export type EntryLine = {
  readonly position: number;
  readonly lane: number;
  readonly seq: number;
  readonly leaf: string;
  readonly leafHash: string;
  readonly place: string;
  /** Absent when the record was erased together with its salt. */
  readonly opening?: { readonly salt: string; readonly record: string };
};

export type BlockLine = { readonly block: number; readonly hash: string };

export function headerLine(header: HeaderLine, sha256: Sha256): string {
  // Members are written in canonical order here and below; JSON.stringify keeps it and escapes as RFC 8785 asks.
  const { logKey, origin, size } = header;
  const fields = { format: EXPORT_FORMAT, logKey, origin, size };
  const sum = toBase64(sha256(utf8(`sealpost/header/v1\n${JSON.stringify(fields)}\n`)));
  return JSON.stringify({ ...fields, sum });
}

export function entryLine({ position, lane, seq, leaf, leafHash, place, opening }: EntryLine): string {
  return opening === undefined
    ? JSON.stringify({ erased: true, lane, leaf, leafHash, place, position, seq })
    : JSON.stringify({ lane, leaf, leafHash, place, position, record: opening.record, salt: opening.salt, seq });
}

export function blockLine({ block, hash }: BlockLine): string {
  return JSON.stringify({ block, hash });
}

export function endLine(checkpoint: string, sha256: Sha256): string {
  return JSON.stringify({ checkpoint, sum: toBase64(sha256(utf8(`sealpost/end/v1\n${checkpoint}`))) });
}

/** Checksum over where an entry stands: the first 8 bytes, in hex, of a SHA-256. */
export function placeSum(position: number, lane: number, seq: number, sha256: Sha256): string {
  return toHex(sha256(utf8(`sealpost/place/v1\n${position}\n${lane}\n${seq}\n`)).subarray(0, 8));
}

export function parseHeaderLine(line: string, sha256: Sha256): HeaderLine | undefined {
  const { logKey, origin, size } = fieldsOf(line);
  if (!isText(logKey) || !isText(origin) || !isCount(size)) return undefined;
  const header = { logKey, origin, size };
  return headerLine(header, sha256) === line ? header : undefined;
}

export function parseEntryLine(line: string): EntryLine | undefined {
  const { position, lane, seq, leaf, leafHash, place, salt, record } = fieldsOf(line);
  if (!isCount(position) || !isCount(lane) || !isCount(seq)) return undefined;
  if (!isText(leaf) || !isText(leafHash) || !isText(place)) return undefined;
  const shared = { position, lane, seq, leaf, leafHash, place };
  const entry = isText(salt) && isText(record) ? { ...shared, opening: { salt, record } } : shared;
  return entryLine(entry) === line ? entry : undefined;
}

export function parseBlockLine(line: string): BlockLine | undefined {
  const { block, hash } = fieldsOf(line);
  if (!isCount(block) || !isText(hash)) return undefined;
  return blockLine({ block, hash }) === line ? { block, hash } : undefined;
}

/** The signed checkpoint note of the last line. */
export function parseEndLine(line: string, sha256: Sha256): string | undefined {
  const { checkpoint } = fieldsOf(line);
  return isText(checkpoint) && endLine(checkpoint, sha256) === line ? checkpoint : undefined;
}

function fieldsOf(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** A lone surrogate has no UTF-8 form: it would be committed to as U+FFFD and so could be swapped for one. */
function isText(value: unknown): value is string {
  return typeof value === 'string' && value.isWellFormed();
}
