/**
 * Which lanes this node decides. A lane has one owner by lease; its epoch grows with each change of hands and is named in
 * every move of the cursor, so that an owner that lost its lease without noticing moves nothing.
 */
import type { Sql } from '@sealpost/platform';
import type { Timestamp } from '@sealpost/protocol';

/** Short, because the epoch makes a slow owner harmless and a killed one's lanes rest until it has run out. */
export const LEASE_MS = 5_000;

export class Fenced extends Error {}

export interface OwnedLane {
  readonly lane: number;
  readonly decided: number;
  readonly epoch: number;
  readonly head: number;
}

/** Lanes without a living owner are taken, own leases are renewed. */
const CLAIM = `
UPDATE lane_cursor SET owner = $1, lease_until = $2,
  epoch = CASE WHEN owner = $1 THEN epoch ELSE epoch + 1 END
WHERE lane IN (SELECT lane FROM lane_cursor WHERE owner = $1 OR lease_until < $3 ORDER BY lane FOR UPDATE SKIP LOCKED)`;

const BEHIND = `
SELECT c.lane, c.decided, c.epoch, l.head FROM lane_cursor c JOIN lane l USING (lane)
WHERE c.owner = $1 AND l.head > c.decided ORDER BY c.lane`;

/** Compare and set: what was read after the old position is decided once, whoever else is at it. */
const MOVE = `
UPDATE lane_cursor SET decided = $4 WHERE lane = $1 AND owner = $2 AND epoch = $3 AND decided = $5 RETURNING lane`;
const RELEASE = "UPDATE lane_cursor SET owner = '', lease_until = 0 WHERE owner = $1";

export async function claimLanes(sql: Sql, owner: string, now: Timestamp): Promise<void> {
  await sql.query('delivery-claim', CLAIM, [owner, now + LEASE_MS, now]);
}

/** Own lanes with events that have not been looked at. */
export async function lanesBehind(sql: Sql, owner: string): Promise<OwnedLane[]> {
  return sql.query<OwnedLane & Record<string, unknown>>('delivery-behind', BEHIND, [owner]);
}

/** Throws Fenced when the lane has another owner by now: the caller's transaction must not commit. */
export async function moveCursor(tx: Sql, lane: OwnedLane, owner: string, decided: number): Promise<void> {
  const moved = await tx.query('delivery-move', MOVE, [lane.lane, owner, lane.epoch, decided, lane.decided]);
  if (moved.length !== 1) throw new Fenced('the lane has another owner');
}

export async function releaseLanes(sql: Sql, owner: string): Promise<void> {
  await sql.query('delivery-release-lanes', RELEASE, [owner]);
}
