/**
 * The sequencer's SQL. Every write happens in a transaction that holds the row of log_state under the writer's own epoch:
 * whoever lost the lease finds no row and writes nothing, so two sequencers can take turns but never fork the tree.
 */
import type { Sql } from '@sealpost/platform';

export interface State {
  readonly size: number;
  readonly frontier: Uint8Array;
}

export interface NewLeaf {
  readonly lane: number;
  readonly seq: number;
  readonly leafHash: Uint8Array;
}

/** `seq` and `leafHash` are null for a lane whose head says more than its events. */
export interface PendingRow {
  readonly lane: number;
  readonly head: number;
  readonly sequenced: number;
  readonly seq: number | null;
  readonly leafHash: Uint8Array | null;
}

export interface Node {
  readonly level: number;
  readonly idx: number;
  readonly hash: Uint8Array;
}

export interface StoredCheckpoint {
  readonly size: number;
  readonly note: string;
  readonly at: number;
}

const ACQUIRE = `
UPDATE log_state SET owner = $1, epoch = epoch + 1, lease_until = $2
WHERE owner = '' OR lease_until < $3 RETURNING epoch`;

const HOLD = 'SELECT size, frontier FROM log_state WHERE owner = $1 AND epoch = $2 FOR UPDATE';

/** Leaves of a lane in one step, so that a busy lane keeps no other waiting. */
export const LANE_SHARE = 256;

/**
 * One snapshot of every lane that has grown: its head, where the tree stands in it, and its next leaves. The row of a lane
 * and its events commit together, so a leaf that is missing below the head is missing for good.
 */
const PENDING = `
SELECT h.lane, h.head, l.sequenced, e.seq, e.leaf_hash AS "leafHash"
FROM lane h JOIN log_lane l USING (lane) LEFT JOIN LATERAL (
  SELECT seq, leaf_hash FROM lane_event WHERE lane = h.lane AND seq > l.sequenced ORDER BY seq LIMIT ${LANE_SHARE}
) e ON true WHERE h.head > l.sequenced ORDER BY h.lane, e.seq`;

const RUNS = 'INSERT INTO log_run SELECT * FROM unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::int[])';

const LANES = `
UPDATE log_lane SET sequenced = n.seq FROM unnest($1::smallint[], $2::bigint[]) AS n(lane, seq)
WHERE log_lane.lane = n.lane`;

const NODES = 'INSERT INTO log_node (level, idx, hash) SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::bytea[])';

const SAVE = 'UPDATE log_state SET size = $1, frontier = $2, lease_until = $3';

const CHECKPOINT = `
INSERT INTO log_checkpoint (size, root, note, at) SELECT $1, $2, $3, $4 FROM log_state WHERE owner = $5 AND epoch = $6
ON CONFLICT (size) DO UPDATE SET at = greatest(log_checkpoint.at, excluded.at)`;

const LATEST = 'SELECT size, note, at FROM log_checkpoint ORDER BY size DESC LIMIT 1';

const WITNESSED =
  'SELECT size, note, at FROM log_checkpoint WHERE witnessed AND size > $1 AND at > $2 ORDER BY size DESC LIMIT 1';

/** The new epoch, or `undefined` while somebody else holds the lease. */
export async function acquire(sql: Sql, owner: string, now: number, until: number): Promise<number | undefined> {
  const [row] = await sql.query<{ epoch: number }>('log-acquire', ACQUIRE, [owner, until, now]);
  return row?.epoch;
}

export async function releaseLease(sql: Sql, owner: string, epoch: number): Promise<void> {
  const text = "UPDATE log_state SET owner = '', lease_until = 0 WHERE owner = $1 AND epoch = $2";
  await sql.query('log-release', text, [owner, epoch]);
}

/** Locks the state for this transaction; `undefined` when the lease is another's by now. */
export async function hold(tx: Sql, owner: string, epoch: number): Promise<State | undefined> {
  const [row] = await tx.query<State>('log-hold', HOLD, [owner, epoch]);
  return row;
}

export async function pendingLeaves(tx: Sql): Promise<PendingRow[]> {
  return await tx.query<PendingRow>('log-pending', PENDING);
}

export interface Run {
  readonly position: number;
  readonly lane: number;
  readonly firstSeq: number;
  readonly count: number;
}

/** One run a lane at most. */
export async function store(tx: Sql, runs: readonly Run[], nodes: readonly Node[]): Promise<void> {
  const lanes = runs.map(({ lane }) => lane);
  const firsts = runs.map(({ firstSeq }) => firstSeq);
  await tx.query('log-runs', RUNS, [
    runs.map(({ position }) => position),
    lanes,
    firsts,
    runs.map(({ count }) => count),
  ]);
  await tx.query('log-lanes', LANES, [lanes, runs.map(({ firstSeq, count }) => firstSeq + count - 1)]);
  if (nodes.length === 0) return;
  const columns = [nodes.map(({ level }) => level), nodes.map(({ idx }) => idx), nodes.map(({ hash }) => hash)];
  await tx.query('log-nodes', NODES, columns);
}

export async function saveState(tx: Sql, state: State, leaseUntil: number): Promise<void> {
  await tx.query('log-save', SAVE, [state.size, state.frontier, leaseUntil]);
}

/** Keeps the note of a size that was signed before: cosignatures may stand on it. */
export async function storeCheckpoint(
  sql: Sql,
  checkpoint: StoredCheckpoint & { readonly root: Uint8Array },
  owner: string,
  epoch: number,
): Promise<void> {
  const { size, root, note, at } = checkpoint;
  await sql.query('log-checkpoint', CHECKPOINT, [size, root, note, at, owner, epoch]);
}

export async function latestCheckpoint(sql: Sql): Promise<StoredCheckpoint | undefined> {
  const [row] = await sql.query<StoredCheckpoint>('log-latest', LATEST);
  return row;
}

/** The newest checkpoint over `position` that the witness signed and that is younger than `since`. */
export async function witnessedCheckpoint(
  sql: Sql,
  position: number,
  since: number,
): Promise<StoredCheckpoint | undefined> {
  const [row] = await sql.query<StoredCheckpoint>('log-witnessed', WITNESSED, [position, since]);
  return row;
}
