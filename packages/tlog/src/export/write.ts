/**
 * Writing an export (`sealpost-log/1`, see line-schema.ts). The writer checks what it writes: entries are complete and in
 * order, each record opens its leaf, and all leaves give the root of the checkpoint (RFC 9162 section 2.1.1). So a damaged
 * database shows when it is exported and not when an auditor opens the file. It keeps one frontier, never the log.
 */
import { equalBytes, toBase64, utf8 } from '../bytes.ts';
import { commitRecord, parseLeafData } from '../leaf.ts';
import { type Checkpoint, parseCheckpoint } from '../note/checkpoint.ts';
import { parseNote } from '../note/signed-note.ts';
import { parseVerifierKey } from '../note/verifier-key.ts';
import { requireCount, TlogError } from '../tlog-errors.ts';
import { frontierRoot } from '../tree/frontier.ts';
import { leafHash, portableSha256, type Sha256 } from '../tree/hashing.ts';
import { appendToBlocks, isBlockEnd, lastBlock, noBlocks } from './blocks.ts';
import { blockLine, type EntryLine, endLine, entryLine, headerLine, placeSum } from './line-schema.ts';

/** One entry of the log as it is stored. */
export type ExportEntry = {
  /** Tree position from 0. */
  readonly position: number;
  readonly lane: number;
  readonly seq: number;
  /** Leaf data as `leafData` gave it. */
  readonly leaf: Uint8Array;
  /** Salt (32 bytes) and record (canonical JSON text). Absent: erased. */
  readonly opening?: { readonly salt: Uint8Array; readonly record: string };
};

export type ExportSource = {
  /** The log's verifier key string; its name is the checkpoint's origin. */
  readonly logKey: string;
  /** Signed checkpoint note with all its cosignatures; it fixes the size. */
  readonly checkpoint: string;
  /** All entries below that size, in order. */
  readonly entries: AsyncIterable<ExportEntry> | Iterable<ExportEntry>;
};

/**
 * The lines of an export, without newlines; write each followed by one "\n". Throws ERR_TLOG_CHECKPOINT or
 * ERR_TLOG_VERIFIER_KEY before the first line when those do not fit together, ERR_TLOG_POSITION, ERR_TLOG_LEAF or
 * ERR_TLOG_RECORD at a bad entry and ERR_TLOG_ROOT at the end: throw the half-written file away. Signatures are not
 * checked here.
 */
export async function* writeExport(source: ExportSource, sha256: Sha256 = portableSha256): AsyncGenerator<string> {
  const { origin, size, root } = readCheckpoint(source);
  yield headerLine({ logKey: source.logKey, origin, size }, sha256);
  let blocks = noBlocks;
  for await (const entry of source.entries) {
    requirePosition(entry, blocks.frontier.size, size);
    requireOpening(entry, sha256);
    const hash = leafHash(entry.leaf, sha256);
    yield entryLine(entryFields(entry, hash));
    blocks = appendToBlocks(blocks, hash, sha256);
    if (isBlockEnd(blocks.frontier.size, size)) yield encodeBlock(lastBlock(blocks, sha256));
  }
  if (blocks.frontier.size !== size) throw new TlogError('ERR_TLOG_POSITION', `only ${blocks.frontier.size} entries`);
  if (!equalBytes(frontierRoot(blocks.frontier, sha256), root))
    throw new TlogError('ERR_TLOG_ROOT', 'writing an export');
  yield endLine(source.checkpoint, sha256);
}

function readCheckpoint({ logKey, checkpoint }: ExportSource): Checkpoint {
  const parsedKey = parseVerifierKey(logKey);
  if (parsedKey.kind === 'malformed') throw new TlogError('ERR_TLOG_VERIFIER_KEY', 'writing an export');
  const note = parseNote(checkpoint);
  const parsed = note.kind === 'parsed' ? parseCheckpoint(note.text) : note;
  if (parsed.kind === 'malformed' || parsed.checkpoint.origin !== parsedKey.key.name) {
    throw new TlogError('ERR_TLOG_CHECKPOINT', 'writing an export');
  }
  return parsed.checkpoint;
}

function requirePosition({ position, lane, seq }: ExportEntry, expected: number, size: number): void {
  if (position !== expected || position >= size) {
    throw new TlogError('ERR_TLOG_POSITION', `entry ${position} where ${expected} of ${size} is due`);
  }
  requireCount(lane, 0, `lane of entry ${position}`);
  requireCount(seq, 0, `sequence of entry ${position}`);
}

function requireOpening({ position, leaf, opening }: ExportEntry, sha256: Sha256): void {
  const parsed = parseLeafData(leaf);
  if (parsed.kind === 'malformed') throw new TlogError('ERR_TLOG_LEAF', `writing entry ${position}`);
  if (opening === undefined) return;
  const commitment = commitRecord(opening.salt, utf8(opening.record), sha256);
  if (!opening.record.isWellFormed() || !equalBytes(commitment, parsed.leaf.commitment)) {
    throw new TlogError('ERR_TLOG_RECORD', `writing entry ${position}`);
  }
}

function entryFields({ position, lane, seq, leaf, opening }: ExportEntry, hash: Uint8Array): EntryLine {
  const place = placeSum(position, lane, seq);
  const fields = { position, lane, seq, leaf: toBase64(leaf), leafHash: toBase64(hash), place };
  if (opening === undefined) return fields;
  return { ...fields, opening: { salt: toBase64(opening.salt), record: opening.record } };
}

function encodeBlock({ block, hash }: { block: number; hash: Uint8Array }): string {
  return blockLine({ block, hash: toBase64(hash) });
}
