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
import { toBase64, utf8 } from '../bytes.ts';
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
  // Members are written in canonical order; JSON.stringify keeps it and escapes as RFC 8785 asks.
  const { logKey, origin, size } = header;
  const fields = { format: EXPORT_FORMAT, logKey, origin, size };
  const sum = toBase64(sha256(utf8(`sealpost/header/v1\n${JSON.stringify(fields)}\n`)));
  return JSON.stringify({ ...fields, sum });
}

/** Base64 and hex need no escaping, so only the record goes through JSON.stringify. */
export function entryLine({ position, lane, seq, leaf, leafHash, place, opening }: EntryLine): string {
  const start = `"lane":${lane},"leaf":"${leaf}","leafHash":"${leafHash}","place":"${place}","position":${position}`;
  if (opening === undefined) return `{"erased":true,${start},"seq":${seq}}`;
  return `{${start},"record":${JSON.stringify(opening.record)},"salt":"${opening.salt}","seq":${seq}}`;
}

export function blockLine({ block, hash }: BlockLine): string {
  return JSON.stringify({ block, hash });
}

export function endLine(checkpoint: string, sha256: Sha256): string {
  return JSON.stringify({ checkpoint, sum: toBase64(sha256(utf8(`sealpost/end/v1\n${checkpoint}`))) });
}

/**
 * Checksum over where an entry stands: 32-bit FNV-1a in 8 hex digits. Each step is a bijection of the state, so any one
 * changed character changes the sum for certain; and it costs a tenth of a SHA-256.
 */
export function placeSum(position: number, lane: number, seq: number): string {
  const text = `${position} ${lane} ${seq}`;
  let state = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193);
  return (state >>> 0).toString(16).padStart(8, '0');
}

export function parseHeaderLine(line: string, sha256: Sha256): HeaderLine | undefined {
  const { logKey, origin, size } = fieldsOf(line);
  if (!isText(logKey) || !isText(origin) || !isCount(size)) return undefined;
  const header = { logKey, origin, size };
  return headerLine(header, sha256) === line ? header : undefined;
}

/**
 * Read by pattern and not by parsing and writing again: over a million entries that saves a quarter of all the time. The
 * patterns spell the canonical form of every member but the record, whose literal is parsed and compared. A test ties this
 * to `plainEntryLine`.
 */
export function parseEntryLine(line: string): EntryLine | undefined {
  const erased = ERASED.exec(line);
  if (erased !== null) return entryOf(erased, erased[6]);
  const start = OPEN_START.exec(line);
  // A quote within the record's literal is escaped, so the last `,"salt":"` is the member's own.
  const saltAt = line.lastIndexOf(',"salt":"');
  const end = OPEN_END.exec(line.slice(saltAt));
  if (start === null || end === null) return undefined;
  const record = recordOf(line.slice(start[0].length, saltAt));
  const entry = entryOf(start, end[2]);
  if (record === undefined || entry === undefined) return undefined;
  return { ...entry, opening: { salt: end[1] ?? '', record } };
}

/** The plain twin of `parseEntryLine`, for tests: parse, check, write again, compare. */
export function plainEntryLine(line: string): EntryLine | undefined {
  const { position, lane, seq, leaf, leafHash, place, salt, record } = fieldsOf(line);
  if (!isCount(position) || !isCount(lane) || !isCount(seq)) return undefined;
  if (!isText(leaf) || !isText(leafHash) || !isText(place)) return undefined;
  const shared = { position, lane, seq, leaf, leafHash, place };
  const entry = isText(salt) && isText(record) ? { ...shared, opening: { salt, record } } : shared;
  return entryLine(entry) === line ? entry : undefined;
}

const COUNT = '(0|[1-9][0-9]{0,15})';
const BASE64 = '"([A-Za-z0-9+/=]*)"';
const START = `"lane":${COUNT},"leaf":${BASE64},"leafHash":${BASE64},"place":"([0-9a-f]{8})","position":${COUNT}`;
const ERASED = new RegExp(`^\\{"erased":true,${START},"seq":${COUNT}\\}$`);
const OPEN_START = new RegExp(`^\\{${START},"record":`);
const OPEN_END = new RegExp(`^,"salt":${BASE64},"seq":${COUNT}\\}$`);

function entryOf(start: RegExpExecArray, seqText: string | undefined): EntryLine | undefined {
  const [lane, position, seq] = [Number(start[1]), Number(start[5]), Number(seqText)];
  if (!isCount(lane) || !isCount(position) || !isCount(seq)) return undefined;
  return { position, lane, seq, leaf: start[2] ?? '', leafHash: start[3] ?? '', place: start[4] ?? '' };
}

function recordOf(literal: string): string | undefined {
  const record = parsedJson(literal);
  return isText(record) && JSON.stringify(record) === literal ? record : undefined;
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
  const value = parsedJson(line);
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function parsedJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** A lone surrogate has no UTF-8 form: it would be committed to as U+FFFD and so could be swapped for one. */
function isText(value: unknown): value is string {
  return typeof value === 'string' && value.isWellFormed();
}
