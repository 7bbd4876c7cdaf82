/**
 * The queue of each device, at least once and in order within a conversation. Writers insert without a cursor and lock no
 * device; whoever reads gives cursors to what is visible, in the order of insertion, under the device's cursor row. Rows
 * of one conversation are inserted under its lane lock, so an earlier one is never seen after a later one.
 */
import type { Database, Sql } from '@sealpost/platform';
import type { BlobId, ConversationId, DeviceId, MessageId, SyncItem, Timestamp } from '@sealpost/protocol';
import { reached } from '../../points.ts';
import { deviceIdsOf, type QueueRow, syncItem } from './queue-row-schema.ts';

/** What is queued: a reference; payloads are stored once, beside the conversation or as the envelope. */
export type QueuedItem =
  | { readonly kind: 'welcome' | 'commit'; readonly conversation: ConversationId; readonly epoch: number }
  | {
      readonly kind: 'envelope';
      readonly conversation: ConversationId;
      readonly message: MessageId;
      /** Attachments it names: its devices may fetch them from here on. */
      readonly blobs: readonly BlobId[];
    };

export interface QueueEntry {
  readonly cursor: number;
  readonly item: SyncItem;
}

export interface Cursors {
  /** The highest cursor ever given to an item of this device. */
  readonly given: number;
  readonly acknowledged: number;
}

const ENQUEUE = `
INSERT INTO device_queue (device, kind, conversation, epoch, message)
SELECT device, $2, $3, $4, $5 FROM unnest($1::text[]) AS d(device)
ON CONFLICT (device, message) WHERE message IS NOT NULL DO NOTHING`;

/** A cursor is given when a device fetches; what has one may be on its screen. */
const UNQUEUE = 'DELETE FROM device_queue WHERE message = $1 AND cursor IS NULL';

const NAME_BLOBS = `
INSERT INTO conversation_blob (conversation, blob) SELECT $1, blob FROM unnest($2::text[]) AS b(blob)
ON CONFLICT DO NOTHING`;

const FRESH = 'SELECT 1 FROM device_queue WHERE device = $1 AND cursor IS NULL LIMIT 1';

const LOCK_CURSOR = `
INSERT INTO device_cursor (device) VALUES ($1)
ON CONFLICT (device) DO UPDATE SET given = device_cursor.given RETURNING given`;

const DROP_EXPIRED = `
DELETE FROM device_queue q WHERE q.device = $1 AND q.cursor IS NULL AND q.kind = 'envelope'
  AND NOT EXISTS (SELECT 1 FROM envelope e WHERE e.message = q.message AND e.expires > $2)`;

const GIVE_CURSORS = `
WITH next AS (
  SELECT id, row_number() OVER (ORDER BY id) AS place FROM
    (SELECT id FROM device_queue WHERE device = $1 AND cursor IS NULL ORDER BY id LIMIT $3) fresh
), given AS (
  UPDATE device_queue q SET cursor = $2::bigint + next.place FROM next WHERE q.id = next.id RETURNING q.cursor
)
UPDATE device_cursor SET given = given + (SELECT count(*) FROM given) WHERE device = $1`;

const READ = `
SELECT q.cursor, q.kind, q.conversation, q.epoch, q.message,
  CASE WHEN q.kind = 'commit' THEN c.message END AS commit,
  CASE WHEN q.kind = 'welcome' THEN c.welcome END AS welcome,
  CASE WHEN q.kind = 'welcome' THEN c.ratchet_tree END AS ratchet_tree, e.body
FROM device_queue q
LEFT JOIN conversation_commit c ON c.conversation = q.conversation AND c.epoch = q.epoch
LEFT JOIN envelope e ON e.message = q.message
WHERE q.device = $1 AND q.cursor > $2 ORDER BY q.cursor LIMIT $3`;

const WAITING = `
SELECT d.device FROM unnest($1::text[]) AS d(device)
WHERE EXISTS (SELECT 1 FROM device_queue q WHERE q.device = d.device AND q.cursor IS NULL)`;

const ACKNOWLEDGE = `
WITH gone AS (
  DELETE FROM device_queue WHERE device = $1 AND cursor <= $2 RETURNING conversation, epoch
), noted AS (
  UPDATE device_cursor SET acknowledged = GREATEST(acknowledged, $2) WHERE device = $1
)
SELECT DISTINCT conversation FROM gone WHERE epoch IS NOT NULL`;

/** Payloads of a conversation that no queue holds any more; rows that still have a holder are left alone. */
const DROP_PAYLOADS = `
WITH held AS (
  SELECT c.conversation, c.epoch,
    EXISTS (SELECT 1 FROM device_queue q
      WHERE q.conversation = c.conversation AND q.epoch = c.epoch AND q.kind = 'commit') AS commit,
    EXISTS (SELECT 1 FROM device_queue q
      WHERE q.conversation = c.conversation AND q.epoch = c.epoch AND q.kind = 'welcome') AS welcome
  FROM conversation_commit c
  WHERE c.conversation = ANY($1::text[]) AND (c.message IS NOT NULL OR c.welcome IS NOT NULL)
)
UPDATE conversation_commit c SET
  message = CASE WHEN held.commit THEN c.message END,
  welcome = CASE WHEN held.welcome THEN c.welcome END,
  ratchet_tree = CASE WHEN held.welcome THEN c.ratchet_tree END
FROM held WHERE c.conversation = held.conversation AND c.epoch = held.epoch
  AND ((c.message IS NOT NULL AND NOT held.commit) OR (c.welcome IS NOT NULL AND NOT held.welcome))`;

/** The caller's transaction holds the lane lock of the item's conversation, and hints `queue` once it has committed. */
export async function enqueue(tx: Sql, devices: readonly DeviceId[], item: QueuedItem): Promise<void> {
  if (item.kind === 'envelope' && item.blobs.length > 0)
    await tx.query('queue-name-blobs', NAME_BLOBS, [item.conversation, [...item.blobs]]);
  if (devices.length === 0) return;
  const epoch = item.kind === 'envelope' ? null : item.epoch;
  const message = item.kind === 'envelope' ? item.message : null;
  await tx.query('queue-add', ENQUEUE, [[...devices], item.kind, item.conversation, epoch, message]);
}

/** Items after a cursor, oldest first; `through` is how far the read came, also where payloads have gone. */
export async function read(
  database: Database,
  device: DeviceId,
  after: number,
  limit: number,
  now: Timestamp,
): Promise<{ readonly entries: QueueEntry[]; readonly through: number }> {
  const [fresh] = await database.query('queue-fresh', FRESH, [device]);
  if (fresh !== undefined) {
    await database.transaction((tx) => giveCursors(tx, device, limit, now));
    reached('queue.given');
  }
  const rows = await database.query<QueueRow>('queue-read', READ, [device, after, limit]);
  const entries = rows.flatMap((row) => {
    const item = syncItem(row);
    return item === undefined ? [] : [{ cursor: row.cursor, item }];
  });
  return { entries, through: rows.at(-1)?.cursor ?? after };
}

async function giveCursors(tx: Sql, device: DeviceId, limit: number, now: Timestamp): Promise<void> {
  const [row] = await tx.query<{ given: number }>('queue-lock', LOCK_CURSOR, [device]);
  await tx.query('queue-expired', DROP_EXPIRED, [device, now]);
  await tx.query('queue-give', GIVE_CURSORS, [device, row?.given ?? 0, limit]);
}

/** Those of `devices` with items no cursor was given to yet: what is new since their last read. */
export async function waiting(sql: Sql, devices: readonly DeviceId[]): Promise<DeviceId[]> {
  return deviceIdsOf(await sql.query<{ device: string }>('queue-waiting', WAITING, [[...devices]]));
}

export async function cursorsOf(sql: Sql, device: DeviceId): Promise<Cursors> {
  const [row] = await sql.query<{ given: number; acknowledged: number }>(
    'queue-cursors',
    'SELECT given, acknowledged FROM device_cursor WHERE device = $1',
    [device],
  );
  return row ?? { given: 0, acknowledged: 0 };
}

/** Forgets everything up to `cursor`. Repeating it, or going back, changes nothing. */
export async function acknowledge(database: Database, device: DeviceId, cursor: number): Promise<void> {
  const rows = await database.query<{ conversation: string }>('queue-acknowledge', ACKNOWLEDGE, [device, cursor]);
  reached('queue.acknowledged');
  const conversations = rows.map(({ conversation }) => conversation);
  if (conversations.length > 0) await dropPayloads(database, conversations);
}

export async function dropPayloads(sql: Sql, conversations: readonly string[]): Promise<void> {
  await sql.query('queue-payloads', DROP_PAYLOADS, [conversations]);
}

export async function removeQueue(tx: Sql, device: DeviceId): Promise<void> {
  await tx.query('queue-remove', 'DELETE FROM device_queue WHERE device = $1', [device]);
}

/** Takes a message out of the queues of devices that have not fetched it; the caller holds the conversation's lane. */
export async function unqueue(tx: Sql, message: MessageId): Promise<void> {
  await tx.query('queue-remove', UNQUEUE, [message]);
}
