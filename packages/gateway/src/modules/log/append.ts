/**
 * Appending inside the caller's transaction: one statement takes sequence numbers from the lane rows and inserts. The
 * updated lane row stays locked until COMMIT, so numbers become visible in order and a rollback leaves no hole. Bytes
 * travel as one binary parameter with lengths beside it, because `pg` sends bytea[] as hex text.
 */
import type { Sql } from '@sealpost/platform';
import { concatBytes, fromUtf8, type LogEvent } from '@sealpost/protocol';
import { SALT_LENGTH } from '@sealpost/tlog';
import type { Appended } from './lane-event.ts';
import { laneOf } from './lanes.ts';
import { messageOf, type PreparedEvent, prepareEvent } from './prepare-event.ts';

export interface Entry {
  readonly laneKey: string;
  readonly event: LogEvent;
}

const LOCK_LANES = 'SELECT lane FROM lane WHERE lane = ANY($1::smallint[]) ORDER BY lane FOR UPDATE';

const APPEND = `
WITH input AS (
  SELECT * FROM unnest($2::smallint[], $3::text[], $4::uuid[], $5::bigint[], $6::int[], $7::int[], $8::int[])
    WITH ORDINALITY AS i(lane, kind, message, at, start, leaf_length, record_length, ord)
), numbered AS (
  SELECT *, row_number() OVER (PARTITION BY lane ORDER BY ord) AS nth FROM input
), grown AS (
  UPDATE lane SET head = head + g.n FROM (SELECT lane, count(*) AS n FROM input GROUP BY lane) g
    WHERE lane.lane = g.lane RETURNING lane.lane, lane.head - g.n AS base
), stored AS (
  INSERT INTO lane_event (lane, seq, kind, message, at, salt, leaf_hash, leaf, record)
  SELECT lane, base + nth, kind, message, at,
    substring($1::bytea FROM start + 1 FOR 32), substring($1::bytea FROM start + 33 FOR 32),
    substring($1::bytea FROM start + 65 FOR leaf_length),
    convert_from(substring($1::bytea FROM start + 65 + leaf_length FOR record_length), 'UTF8')
  FROM numbered JOIN grown USING (lane)
)
SELECT ord::int AS ord, lane, base + nth AS sequence FROM numbered JOIN grown USING (lane) ORDER BY ord`;

/** Locks the lane until the transaction ends: the mutex for decisions about what is in it. */
export async function lockLane(tx: Sql, lane: number): Promise<void> {
  await tx.query('log-lock-lanes', LOCK_LANES, [[lane]]);
}

export async function append(
  tx: Sql,
  entries: readonly Entry[],
  random: (length: number) => Uint8Array,
): Promise<Appended[]> {
  if (entries.length === 0) return [];
  const lanes = entries.map(({ laneKey }) => laneOf(laneKey));
  const distinct = [...new Set(lanes)].sort((a, b) => a - b);
  // Always in the same order, so that two appenders of the same lanes cannot wait for each other.
  if (distinct.length > 1) await tx.query('log-lock-lanes', LOCK_LANES, [distinct]);
  // One call for all salts: asking the system for 32 bytes costs as much as hashing them thrice.
  const salts = random(SALT_LENGTH * entries.length);
  const prepared = entries.map(({ event }, at) =>
    prepareEvent(event, () => salts.slice(SALT_LENGTH * at, SALT_LENGTH * (at + 1))),
  );
  const rows = await tx.query<{ lane: number; sequence: number }>('log-append', APPEND, parameters(lanes, prepared));
  return prepared.flatMap(({ leafHash, record, salt }, at) => {
    const row = rows[at];
    return row === undefined ? [] : [{ ...row, leafHash, record: fromUtf8(record), salt }];
  });
}

function parameters(lanes: readonly number[], prepared: readonly PreparedEvent[]): unknown[] {
  const starts: number[] = [];
  let length = 0;
  for (const { leaf, record } of prepared) {
    starts.push(length);
    length += 64 + leaf.length + record.length;
  }
  return [
    concatBytes(...prepared.flatMap(({ salt, leafHash, leaf, record }) => [salt, leafHash, leaf, record])),
    lanes,
    prepared.map(({ event }) => event.kind),
    prepared.map(({ event }) => messageOf(event) ?? null),
    prepared.map(({ event }) => event.at),
    starts,
    prepared.map(({ leaf }) => leaf.length),
    prepared.map(({ record }) => record.length),
  ];
}
