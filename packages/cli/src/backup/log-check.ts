/**
 * The log inside a gateway's backup, recomputed from its events: each leaf gives its hash and is opened by its record, each
 * lane is gapless, the runs give the tree, and the tree gives the root of every checkpoint. One leaf hash an event is kept.
 */
import { hash } from 'node:crypto';
import { equalBytes, toHex, utf8 } from '@sealpost/protocol';
import {
  appendLeaf,
  type Cosigned,
  commitRecord,
  emptyFrontier,
  encodeFrontier,
  frontierRoot,
  leafHash,
  openCheckpoint,
  parseLeafData,
  type VerifierKey,
} from '@sealpost/tlog';
import { backupErrorAt } from './backup-errors.ts';
import { isRow, type Row } from './contents-schema.ts';
import type { Observer } from './walk.ts';

export interface CheckedLog {
  /** Leaves in the tree; events that were not sequenced yet are not counted. */
  readonly size: number;
  /** Of the newest checkpoint. */
  readonly checkpointSize: number;
  readonly root: Uint8Array;
  readonly cosignedBy: readonly Cosigned[];
  /** Root of the first `size` leaves; `undefined` beyond the tree. */
  rootAt(size: number): Uint8Array | undefined;
}

export interface LogCheck extends Observer {
  /** Throws ERR_BACKUP_LOG. */
  finish(keys: { readonly logKey: VerifierKey; readonly witness: VerifierKey }): Promise<CheckedLog>;
}

type Fields = Readonly<Record<string, string | null>>;

const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(hash('sha256', bytes, 'buffer'));
const broken = (where: string, what: string) => backupErrorAt('ERR_BACKUP_LOG', where, what);

export function createLogCheck(): LogCheck {
  const leaves = new Map<string, Uint8Array>();
  const tables: Record<string, Fields[]> = { lane: [], log_run: [], log_checkpoint: [], log_state: [] };
  let columns: readonly string[] = [];
  return {
    line(line, table) {
      if (!isRow(line)) {
        if (line.kind === 'table') columns = line.columns;
        return;
      }
      if (table === 'lane_event') addLeaf(leaves, fieldsOf(columns, line));
      else tables[table]?.push(fieldsOf(columns, line));
    },
    async finish(keys) {
      const { lane = [], log_run: runs = [], log_checkpoint: checkpoints = [], log_state: state = [] } = tables;
      requireGapless(leaves, lane);
      const tree = treeOf(leaves, runs, new Set(checkpoints.map(({ size }) => Number(size))));
      if (toHex(tree.frontier) !== hexOf(state[0]?.frontier))
        throw broken('log_state', 'is not the tree of the events');
      for (const { size, root } of checkpoints)
        if (toHex(tree.rootAt(Number(size)) ?? new Uint8Array()) !== hexOf(root))
          throw broken(`checkpoint ${size}`, 'is not a root of the tree');
      const newest = newestOf(checkpoints);
      const opened = await openCheckpoint(newest.note ?? '', { logKey: keys.logKey, witnessKeys: [keys.witness] });
      if (opened.kind === 'rejected') throw broken(`checkpoint ${newest.size}`, opened.reason);
      const { size: checkpointSize, root } = opened.checkpoint;
      if (checkpointSize !== Number(newest.size) || toHex(root) !== hexOf(newest.root))
        throw broken(`checkpoint ${newest.size}`, 'says something else than its row');
      return {
        size: tree.size,
        checkpointSize,
        root,
        cosignedBy: await lastCosigned(checkpoints, keys),
        rootAt: tree.rootAt,
      };
    },
  };
}

function fieldsOf(columns: readonly string[], row: Row): Fields {
  return Object.fromEntries(columns.map((name, at) => [name, row[at] ?? null]));
}

/** PostgreSQL's text of a bytea: `\x` and hexadecimal digits. */
function hexOf(text: string | null | undefined): string {
  return text?.startsWith('\\x') === true ? text.slice(2) : '';
}

function bytesOf(text: string | null | undefined): Uint8Array {
  return new Uint8Array(Buffer.from(hexOf(text), 'hex'));
}

function addLeaf(leaves: Map<string, Uint8Array>, { lane, seq, leaf, leaf_hash, salt, record }: Fields): void {
  const place = `${lane} ${seq}`;
  const data = bytesOf(leaf);
  const computed = leafHash(data, sha256);
  if (toHex(computed) !== hexOf(leaf_hash)) throw broken(`lane ${place}`, 'the leaf does not give its hash');
  const parsed = parseLeafData(data);
  if (parsed.kind === 'malformed') throw broken(`lane ${place}`, 'the leaf is malformed');
  // Both are gone together when a record was erased.
  if ((record === null) !== (salt === null)) throw broken(`lane ${place}`, 'record and salt do not belong together');
  if (typeof record === 'string') {
    const opening = bytesOf(salt);
    if (opening.length !== 32 || !equalBytes(commitRecord(opening, utf8(record), sha256), parsed.leaf.commitment))
      throw broken(`lane ${place}`, 'the record does not open its leaf');
  }
  leaves.set(place, computed);
}

function requireGapless(leaves: ReadonlyMap<string, Uint8Array>, lanes: readonly Fields[]): void {
  let counted = 0;
  for (const { lane, head } of lanes) {
    for (let seq = 1; seq <= Number(head); seq++)
      if (!leaves.has(`${lane} ${seq}`)) throw broken(`lane ${lane} ${seq}`, 'is missing');
    counted += Number(head);
  }
  if (counted !== leaves.size) throw broken('lane', 'there are events beyond the heads');
}

/** Roots at the `wanted` sizes are kept on the way: a busy log has a checkpoint a second. */
function treeOf(leaves: ReadonlyMap<string, Uint8Array>, runs: readonly Fields[], wanted: ReadonlySet<number>) {
  const ordered: Uint8Array[] = [];
  const roots = new Map<number, Uint8Array>();
  let tree = emptyFrontier;
  if (wanted.has(0)) roots.set(0, frontierRoot(tree, sha256));
  for (const { position, lane, first_seq, count } of [...runs].sort(
    (a, b) => Number(a.position) - Number(b.position),
  )) {
    if (Number(position) !== ordered.length) throw broken(`position ${position}`, 'is not the next');
    for (let seq = Number(first_seq); seq < Number(first_seq) + Number(count); seq++) {
      const leaf = leaves.get(`${lane} ${seq}`);
      if (leaf === undefined) throw broken(`lane ${lane} ${seq}`, 'is in the tree and not in the lane');
      ordered.push(leaf);
      tree = appendLeaf(tree, leaf, sha256);
      if (wanted.has(tree.size)) roots.set(tree.size, frontierRoot(tree, sha256));
    }
  }
  const rootAt = (size: number): Uint8Array | undefined => {
    if (size > ordered.length) return undefined;
    const below = () => ordered.slice(0, size).reduce((grown, leaf) => appendLeaf(grown, leaf, sha256), emptyFrontier);
    return roots.get(size) ?? frontierRoot(below(), sha256);
  };
  return { size: ordered.length, frontier: encodeFrontier(tree), rootAt };
}

function newestOf(checkpoints: readonly Fields[]): Fields {
  const [newest] = [...checkpoints].sort((a, b) => Number(b.size) - Number(a.size));
  if (newest === undefined) throw broken('log_checkpoint', 'there is none');
  return newest;
}

/** The witness is a moment behind the log: who vouched is told by the newest checkpoint that was vouched for. */
async function lastCosigned(
  checkpoints: readonly Fields[],
  { logKey, witness }: { logKey: VerifierKey; witness: VerifierKey },
) {
  const cosigned = checkpoints.filter(({ witnessed }) => witnessed === 'true' || witnessed === 't');
  if (cosigned.length === 0) return [];
  const opened = await openCheckpoint(newestOf(cosigned).note ?? '', { logKey, witnessKeys: [witness] });
  if (opened.kind === 'rejected') throw broken('log_checkpoint', opened.reason);
  return opened.cosignedBy;
}
