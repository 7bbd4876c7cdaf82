/** The whole log as `sealpost-log/1` lines, read in pages so that its length costs no memory. */
import type { Sql } from '@sealpost/platform';
import { type ExportEntry, parseCheckpoint, parseNote, writeExport } from '@sealpost/tlog';
import { sha256 } from '../../platform/hash.ts';
import { logError } from './log-errors.ts';
import { entriesBetween, POSITION } from './positions.ts';
import { latestCheckpoint } from './sequencer-store.ts';

const PAGE = 1_000;
const ENTRIES = entriesBetween(`${POSITION} AS position, e.lane, e.seq, e.leaf, e.salt, e.record`);

type Row = { position: number; lane: number; seq: number; leaf: Uint8Array; salt: Uint8Array | null; record: string };

/** Lines without newlines. Throws ERR_LOG_NO_CHECKPOINT before the first; TlogError at an entry that was tampered with. */
export async function* exportLines(sql: Sql, logKey: string): AsyncGenerator<string> {
  const head = await latestCheckpoint(sql);
  if (head === undefined) throw logError('ERR_LOG_NO_CHECKPOINT');
  yield* writeExport({ logKey, checkpoint: head.note, entries: entriesOf(sql, sizeOf(head.note)) }, sha256);
}

async function* entriesOf(sql: Sql, size: number): AsyncGenerator<ExportEntry> {
  for (let from = 0; from < size; from += PAGE) {
    const rows = await sql.query<Row>('log-export', ENTRIES, [from, Math.min(size, from + PAGE)]);
    for (const { salt, record, ...entry } of rows)
      yield salt === null ? entry : { ...entry, opening: { salt, record } };
  }
}

function sizeOf(note: string): number {
  const parsed = parseNote(note);
  const checkpoint = parsed.kind === 'parsed' ? parseCheckpoint(parsed.text) : parsed;
  return checkpoint.kind === 'parsed' ? checkpoint.checkpoint.size : 0;
}
