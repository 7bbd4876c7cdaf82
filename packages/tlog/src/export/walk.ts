/**
 * The one walk over an export that verifying and searching share. It takes a line at a time, keeps a frontier and a few
 * flags whatever the size, and stops at the first line that is wrong. The order of lines is fixed by the header, so each
 * line has exactly one thing it may be, and a failure can always say which entry or block was due.
 *
 * What each entry must show: canonical form, its position, its place sum, a leaf that hashes to `leafHash` (RFC 9162
 * section 2.1.1), and either salt and record that open the leaf's commitment or the word that they were erased.
 */
import { equalBytes, fromBase64, toBase64, utf8 } from '../bytes.ts';
import { commitRecord, type Leaf, parseLeafData, SALT_LENGTH } from '../leaf.ts';
import type { TlogErrorCode } from '../tlog-errors.ts';
import type { Frontier, SubtreeObserver } from '../tree/frontier.ts';
import { leafHash, type Sha256 } from '../tree/hashing.ts';
import { appendToBlocks, type Blocks, isBlockEnd, lastBlock, noBlocks } from './blocks.ts';
import {
  BLOCK_SIZE,
  type EntryLine,
  type HeaderLine,
  parseBlockLine,
  parseEndLine,
  parseEntryLine,
  parseHeaderLine,
  placeSum,
} from './line-schema.ts';

/** An entry that agrees with itself; that it is the log's own is known only when the whole walk has ended well. */
export type WalkedEntry = {
  readonly position: number;
  readonly lane: number;
  readonly seq: number;
  readonly leaf: Leaf;
  readonly leafHash: Uint8Array;
  /** Canonical JSON text; absent when erased. */
  readonly record?: string;
};

export type WalkFailure = {
  readonly kind: 'failed';
  readonly code: TlogErrorCode;
  readonly reason: string;
  /** Counted from 1; one past the last line when the file ends too early. */
  readonly line: number;
  /** Position of the entry that is wrong or missing. */
  readonly entry?: number;
  /** The block that is wrong, with the positions of its first and last entry. */
  readonly block?: { readonly index: number; readonly first: number; readonly last: number };
};

/** Looks on while the walk goes; `before` is the tree without the entry. */
export type WalkObserver = {
  entry(entry: WalkedEntry, before: Frontier): void;
  readonly subtree: SubtreeObserver;
};

/** State of one walk, changed in place by `stepWalk`. */
export type Walk = {
  lines: number;
  header: HeaderLine | undefined;
  blocks: Blocks;
  blockDue: boolean;
  erased: number;
  /** The signed note of the last line. */
  checkpoint: string | undefined;
};

export function startWalk(): Walk {
  return { lines: 0, header: undefined, blocks: noBlocks, blockDue: false, erased: 0, checkpoint: undefined };
}

/** Takes the next line; a failure when it is wrong, `undefined` when the walk may go on. */
export function stepWalk(
  walk: Walk,
  line: string,
  logKey: string,
  sha256: Sha256,
  observer?: WalkObserver,
): WalkFailure | undefined {
  walk.lines += 1;
  if (walk.header === undefined) return readHeader(walk, line, logKey, sha256);
  if (walk.checkpoint !== undefined) return failure(walk, 'ERR_TLOG_END', 'there is a line after the checkpoint');
  if (walk.blockDue) return readBlock(walk, line, sha256);
  if (walk.blocks.frontier.size < walk.header.size) return readEntry(walk, walk.header, line, sha256, observer);
  return readEnd(walk, line, sha256);
}

/** The failure of a walk whose lines have run out: the end line was never reached. */
export function failEarlyEnd(walk: Walk): WalkFailure {
  walk.lines += 1;
  const missing = walk.header !== undefined && walk.blocks.frontier.size < walk.header.size && !walk.blockDue;
  const at = missing ? { entry: walk.blocks.frontier.size } : {};
  return { ...failure(walk, 'ERR_TLOG_END', 'the export ends before its checkpoint'), ...at };
}

export function failure(walk: Walk, code: TlogErrorCode, reason: string): WalkFailure {
  return { kind: 'failed', code, reason, line: walk.lines };
}

function readHeader(walk: Walk, line: string, logKey: string, sha256: Sha256): WalkFailure | undefined {
  const header = parseHeaderLine(line, sha256);
  if (header === undefined) return failure(walk, 'ERR_TLOG_HEADER', 'not a sealpost-log/1 header in canonical form');
  if (header.logKey !== logKey) return failure(walk, 'ERR_TLOG_HEADER', 'the export is of a log with another key');
  walk.header = header;
  return undefined;
}

function readEntry(
  walk: Walk,
  header: HeaderLine,
  line: string,
  sha256: Sha256,
  observer: WalkObserver | undefined,
): WalkFailure | undefined {
  const before = walk.blocks.frontier;
  const checked = checkEntry(line, before.size, sha256);
  if ('code' in checked) return { ...failure(walk, checked.code, checked.reason), entry: before.size };
  observer?.entry(checked, before);
  if (checked.record === undefined) walk.erased += 1;
  walk.blocks = appendToBlocks(walk.blocks, checked.leafHash, sha256, observer?.subtree);
  walk.blockDue = isBlockEnd(walk.blocks.frontier.size, header.size);
  return undefined;
}

type Refusal = { readonly code: TlogErrorCode; readonly reason: string };

function checkEntry(line: string, position: number, sha256: Sha256): WalkedEntry | Refusal {
  const fields = parseEntryLine(line);
  if (fields === undefined) return refuse('ERR_TLOG_LINE', 'not an entry in canonical form');
  if (fields.position !== position) return refuse('ERR_TLOG_POSITION', 'not the next position');
  const { lane, seq } = fields;
  if (fields.place !== placeSum(position, lane, seq)) return refuse('ERR_TLOG_PLACE', 'lane or sequence');
  const data = fromBase64(fields.leaf);
  const stated = fromBase64(fields.leafHash);
  if (data === undefined || stated === undefined) return refuse('ERR_TLOG_LEAF', 'leaf or hash is not base64');
  const hash = leafHash(data, sha256);
  if (!equalBytes(hash, stated)) return refuse('ERR_TLOG_LEAF', 'the leaf does not give its hash');
  const parsed = parseLeafData(data);
  if (parsed.kind === 'malformed') return refuse('ERR_TLOG_LEAF', `the leaf is malformed: ${parsed.reason}`);
  const entry = { position, lane, seq, leaf: parsed.leaf, leafHash: hash };
  if (fields.opening === undefined) return entry;
  if (!opens(fields.opening, parsed.leaf, sha256))
    return refuse('ERR_TLOG_RECORD', 'salt and record do not open the leaf');
  return { ...entry, record: fields.opening.record };
}

function opens(opening: NonNullable<EntryLine['opening']>, leaf: Leaf, sha256: Sha256): boolean {
  const salt = fromBase64(opening.salt);
  if (salt?.length !== SALT_LENGTH) return false;
  return equalBytes(commitRecord(salt, utf8(opening.record), sha256), leaf.commitment);
}

function refuse(code: TlogErrorCode, reason: string): Refusal {
  return { code, reason };
}

function readBlock(walk: Walk, line: string, sha256: Sha256): WalkFailure | undefined {
  const stated = parseBlockLine(line);
  const { block: index, hash } = lastBlock(walk.blocks, sha256);
  if (stated === undefined || stated.block !== index || stated.hash !== toBase64(hash)) {
    const block = { index, first: index * BLOCK_SIZE, last: walk.blocks.frontier.size - 1 };
    return { ...failure(walk, 'ERR_TLOG_BLOCK', 'the entries do not give the hash of their block'), block };
  }
  walk.blockDue = false;
  return undefined;
}

function readEnd(walk: Walk, line: string, sha256: Sha256): WalkFailure | undefined {
  walk.checkpoint = parseEndLine(line, sha256);
  return walk.checkpoint === undefined
    ? failure(walk, 'ERR_TLOG_LINE', 'not a checkpoint in canonical form')
    : undefined;
}
