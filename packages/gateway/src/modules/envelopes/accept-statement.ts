/**
 * The one statement of the hot path. It stores those envelopes of a batch whose message id is new, takes sequence numbers
 * for exactly these from their lanes, and appends their events: all or nothing, in one round trip (DESIGN section 7).
 *
 * ON CONFLICT waits for whoever inserts the same id, in id order, so no two batches wait for each other; lanes are locked
 * in lane order after that. Measured on this shape: one binary blob with offsets does 2.7 times the rows of bytea[]. `IS
 * TRUE` keeps the planner, which expects ten rows of an array, from joining 512 × 512 rows in a nested loop: a hash is used.
 */
import { concatBytes, type Envelope } from '@sealpost/protocol';
import type { PreparedEvent } from '../log/index.ts';

export interface Draft {
  readonly envelope: Envelope;
  /** The envelope id: SHA-256 of its canonical form. */
  readonly id: Uint8Array;
  /** The envelope as JSON in UTF-8. */
  readonly body: Uint8Array;
  readonly lane: number;
  readonly prepared: PreparedEvent;
}

export const ACCEPT = `
WITH input AS (
  SELECT * FROM unnest($2::smallint[], $3::uuid[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::int[],
    $9::int[], $10::int[], $11::int[]) WITH ORDINALITY AS i(lane, message, sender, conversation, expires, at, start,
    leaf_length, record_length, body_length, ord)
), stored AS (
  INSERT INTO envelope (message, sender, id, lane, conversation, expires, body)
  SELECT message, sender, substring($1::bytea FROM start + 65 FOR 32), lane, conversation, expires,
    substring($1::bytea FROM start + 97 + leaf_length + record_length FOR body_length)
  FROM input ORDER BY message
  ON CONFLICT (message) DO NOTHING RETURNING message
), fresh AS MATERIALIZED (
  SELECT input.*, row_number() OVER (PARTITION BY lane ORDER BY ord) AS nth FROM input
  WHERE (message IN (SELECT message FROM stored)) IS TRUE
), wanted AS MATERIALIZED (
  SELECT lane, count(*) AS n FROM fresh GROUP BY lane
), locked AS MATERIALIZED (
  SELECT lane FROM lane WHERE lane IN (SELECT lane FROM wanted) ORDER BY lane FOR UPDATE
), grown AS (
  UPDATE lane SET head = head + wanted.n FROM wanted JOIN locked USING (lane)
  WHERE lane.lane = wanted.lane RETURNING lane.lane, lane.head - wanted.n AS base
)
INSERT INTO lane_event (lane, seq, kind, message, at, salt, leaf_hash, leaf, record)
SELECT lane, base + nth, 'message.accepted', message, at,
  substring($1::bytea FROM start + 1 FOR 32), substring($1::bytea FROM start + 33 FOR 32),
  substring($1::bytea FROM start + 97 FOR leaf_length),
  convert_from(substring($1::bytea FROM start + 97 + leaf_length FOR record_length), 'UTF8')
FROM fresh JOIN grown USING (lane)
RETURNING message, seq AS sequence`;

/** What is stored under these message ids, with the event of its acceptance. */
export const KNOWN = `
SELECT v.message, v.id, v.lane, e.seq AS sequence, e.at, e.leaf_hash AS "leafHash"
FROM envelope v JOIN lane_event e ON e.message = v.message AND e.kind = 'message.accepted'
WHERE v.message = ANY($1::uuid[])`;

export function acceptParameters(drafts: readonly Draft[]): unknown[] {
  const starts: number[] = [];
  let length = 0;
  for (const { prepared, body } of drafts) {
    starts.push(length);
    length += 96 + prepared.leaf.length + prepared.record.length + body.length;
  }
  const pieces = drafts.flatMap(({ prepared: { salt, leafHash, leaf, record }, id, body }) => [
    salt,
    leafHash,
    id,
    leaf,
    record,
    body,
  ]);
  return [
    concatBytes(...pieces),
    drafts.map(({ lane }) => lane),
    drafts.map(({ envelope }) => envelope.message),
    drafts.map(({ envelope }) => envelope.sender),
    drafts.map(({ envelope }) => envelope.conversation),
    drafts.map(({ envelope }) => envelope.expires),
    drafts.map(({ prepared }) => prepared.event.at),
    starts,
    drafts.map(({ prepared }) => prepared.leaf.length),
    drafts.map(({ prepared }) => prepared.record.length),
    drafts.map(({ body }) => body.length),
  ];
}
