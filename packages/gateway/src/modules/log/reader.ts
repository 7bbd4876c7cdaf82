/** Reading the log: by message, by lane and cursor, by tree position. Erased records are passed over. */
import type { Sql } from '@sealpost/platform';
import { type Envelope, fromUtf8, type MessageId, type Timeline } from '@sealpost/protocol';
import { envelopeOfBody } from './envelope-schema.ts';
import type { LaneEvent, Sequenced } from './lane-event.ts';
import { entriesBetween, POSITION, RUN_OF_EVENT } from './positions.ts';
import { eventOfRecord } from './record-schema.ts';

type Row = { lane: number; sequence: number; record: string };

const OF_MESSAGE =
  'SELECT lane, seq AS sequence, record FROM lane_event WHERE message = $1 AND record IS NOT NULL ORDER BY lane, seq';

const OF_LANE =
  'SELECT lane, seq AS sequence, record FROM lane_event WHERE lane = $1 AND seq > $2 AND record IS NOT NULL ORDER BY seq LIMIT $3';

const TIMELINE = `
SELECT e.record, ${POSITION} AS position FROM lane_event e LEFT ${RUN_OF_EVENT}
WHERE e.message = $1 AND e.record IS NOT NULL ORDER BY e.lane, e.seq`;

const FEED = entriesBetween(`${POSITION} AS position, e.record`);

/** Events of a message in lane order; empty when there are none. */
export async function eventsOf(sql: Sql, message: MessageId): Promise<LaneEvent[]> {
  return (await sql.query<Row>('log-events-of', OF_MESSAGE, [message])).map(laneEvent);
}

/** Events of a lane after a cursor, in order. */
export async function readLane(sql: Sql, lane: number, after: number, limit: number): Promise<LaneEvent[]> {
  return (await sql.query<Row>('log-read-lane', OF_LANE, [lane, after, limit])).map(laneEvent);
}

/** A message's events, each with its position once sequenced; `undefined` when the log knows no such message. */
export async function timeline(sql: Sql, message: MessageId): Promise<Timeline | undefined> {
  const rows = await sql.query<{ record: string; position: number | null }>('log-timeline', TIMELINE, [message]);
  if (rows.length === 0) return undefined;
  return { message, events: rows.map(({ record, position }) => ({ event: eventOfRecord(record), position })) };
}

/** Up to `limit` sequenced events after a position, in tree order. Erased ones are passed over, never waited at. */
export async function readFeed(sql: Sql, after: number, limit: number): Promise<Sequenced[]> {
  for (let from = after + 1; ; ) {
    const range = [from, from + limit];
    const rows = await sql.query<{ record: string | null; position: number }>('log-feed', FEED, range);
    const events = rows.flatMap(({ record, position }) =>
      record === null ? [] : [{ position, event: eventOfRecord(record) }],
    );
    if (events.length > 0 || rows.length === 0) return events;
    from += rows.length;
  }
}

/** The envelope as it was accepted (less what was taken out since); `undefined` when there is none. */
export async function readEnvelope(sql: Sql, message: MessageId): Promise<Envelope | undefined> {
  const [row] = await sql.query<{ body: Uint8Array }>('log-envelope', 'SELECT body FROM envelope WHERE message = $1', [
    message,
  ]);
  return row === undefined ? undefined : envelopeOfBody(fromUtf8(row.body));
}

function laneEvent({ lane, sequence, record }: Row): LaneEvent {
  return { event: eventOfRecord(record), lane, sequence };
}
