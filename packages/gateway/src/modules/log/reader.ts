/** Reading the log: by message, by lane and cursor, by tree position. Erased records are passed over. */
import type { Sql } from '@sealpost/platform';
import { type Envelope, fromUtf8, type LogEvent, type MessageId, type Timeline } from '@sealpost/protocol';
import { envelopeOfBody } from './envelope-schema.ts';
import type { LaneEvent, Sequenced } from './lane-event.ts';
import { entriesBetween, POSITION, RUN_OF_EVENT } from './positions.ts';
import { eventOfRecord } from './record-schema.ts';

type Row = { lane: number; sequence: number; record: string };

const OF_MESSAGE =
  'SELECT lane, seq AS sequence, record FROM lane_event WHERE message = $1 AND record IS NOT NULL ORDER BY lane, seq';

/** A look into the index for each message: a plan by a hash would read the whole table once a batch is long. */
const OF_MESSAGES = `
SELECT m.place::int AS place, e.record FROM unnest($1::uuid[]) WITH ORDINALITY AS m(message, place)
CROSS JOIN LATERAL (
  SELECT lane, seq, record FROM lane_event WHERE message = m.message AND record IS NOT NULL ORDER BY lane, seq
) e ORDER BY m.place, e.lane, e.seq`;

const OF_LANE =
  'SELECT lane, seq AS sequence, record FROM lane_event WHERE lane = $1 AND seq > $2 AND record IS NOT NULL ORDER BY seq LIMIT $3';

const TIMELINE = `
SELECT e.record, ${POSITION} AS position FROM lane_event e LEFT ${RUN_OF_EVENT}
WHERE e.message = $1 AND e.record IS NOT NULL ORDER BY e.lane, e.seq`;

/** What tells how a message stands: accepted, confirmed by devices, ended. */
const RESULTS = `
SELECT record FROM lane_event
WHERE message = ANY($1) AND kind IN ('message.accepted', 'receipt.device', 'message.ended') AND record IS NOT NULL
ORDER BY lane, seq`;

const FEED = entriesBetween(`${POSITION} AS position, e.record`);

/** Events of a message in lane order; empty when there are none. */
export async function eventsOf(sql: Sql, message: MessageId): Promise<LaneEvent[]> {
  return (await sql.query<Row>('log-events-of', OF_MESSAGE, [message])).map(laneEvent);
}

/** Events of many messages at once, each in lane order. */
export async function histories(sql: Sql, messages: readonly MessageId[]): Promise<Map<MessageId, LogEvent[]>> {
  const rows = await sql.query<{ place: number; record: string }>('log-histories', OF_MESSAGES, [[...messages]]);
  const found = new Map<MessageId, LogEvent[]>();
  for (const { place, record } of rows) {
    const message = messages[place - 1];
    if (message === undefined) continue;
    const events = found.get(message);
    if (events === undefined) found.set(message, [eventOfRecord(record)]);
    else events.push(eventOfRecord(record));
  }
  return found;
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

/** Of many messages at once, the events that tell how each stands; none of a message the log does not know. */
export async function results(sql: Sql, messages: readonly MessageId[]): Promise<LogEvent[]> {
  const rows = await sql.query<{ record: string }>('log-results', RESULTS, [messages]);
  return rows.map(({ record }) => eventOfRecord(record));
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

/** The same for many messages; those without one are left out. */
export async function readEnvelopes(sql: Sql, messages: readonly MessageId[]): Promise<Map<MessageId, Envelope>> {
  const rows = await sql.query<{ place: number; body: Uint8Array }>(
    'log-envelopes',
    `SELECT m.place::int AS place, v.body FROM unnest($1::uuid[]) WITH ORDINALITY AS m(message, place)
     JOIN envelope v USING (message)`,
    [[...messages]],
  );
  return new Map(
    rows.flatMap(({ place, body }) => {
      const message = messages[place - 1];
      return message === undefined ? [] : [[message, envelopeOfBody(fromUtf8(body))] as const];
    }),
  );
}

function laneEvent({ lane, sequence, record }: Row): LaneEvent {
  return { event: eventOfRecord(record), lane, sequence };
}
