/**
 * What a restored zone must not do: take up what its neighbours and devices have since carried on without it. Runs in the
 * transaction of the restore, so that no service ever sees the data without it.
 */
import { randomBytes } from 'node:crypto';
import type { Sql } from '@sealpost/platform';
import { canonicalBytes, type EventOf, fromUtf8 } from '@sealpost/protocol';
import { commitRecord, leafData, leafHash, SALT_LENGTH } from '@sealpost/tlog';
import type { Manifest } from './contents-schema.ts';

/**
 * Cursors go on from the time of the restore in microseconds: above any that was given since, also by an earlier restore of
 * the same backup, as long as no device was given more than one a microsecond; and below 2^53 until the year 2255.
 */
const CURSORS_PER_MS = 1000;
/** The log's word on the restore stands in a lane of its own choosing: it belongs to no conversation. */
const LANE = 0;

export async function resume(tx: Sql, manifest: Manifest, size: number, now: number): Promise<void> {
  if (manifest.zone === 'control') await forgetGroups(tx);
  if (manifest.zone === 'gateway') {
    await spendKeyPackages(tx, now);
    await leapCursors(tx, now);
    await say(tx, { v: 1, kind: 'log.restored', at: now, backup: manifest.contents, taken: manifest.taken, size });
  }
}

/**
 * The keys these states are sealed under are not in the backup, and a generation of a ratchet must never be used twice. An
 * agent's next message makes a new conversation; the old one stays readable on the devices.
 */
async function forgetGroups(tx: Sql): Promise<void> {
  await tx.query('resume-groups', 'DELETE FROM agent_group');
}

/** Some have been given since and their private halves are gone; devices upload new ones, and keep the one of last resort. */
async function spendKeyPackages(tx: Sql, now: number): Promise<void> {
  const text = 'UPDATE key_package SET spent_at = $1, package = NULL WHERE NOT last_resort AND spent_at IS NULL';
  await tx.query('resume-key-packages', text, [now]);
}

/** A device may stand at a cursor that this gateway has not given yet, and a cursor never means two things. */
async function leapCursors(tx: Sql, now: number): Promise<void> {
  const text = `INSERT INTO device_cursor (device, given) SELECT device, $1 FROM device
    ON CONFLICT (device) DO UPDATE SET given = greatest(device_cursor.given, excluded.given)`;
  await tx.query('resume-cursors', text, [now * CURSORS_PER_MS]);
}

/** Appended as the gateway appends: next in its lane, committed to under a fresh salt. */
async function say(tx: Sql, event: EventOf<'log.restored'>): Promise<void> {
  const [record, salt] = [canonicalBytes(event), new Uint8Array(randomBytes(SALT_LENGTH))];
  const leaf = leafData({ kind: event.kind, time: event.at, commitment: commitRecord(salt, record) });
  const text = `WITH grown AS (UPDATE lane SET head = head + 1 WHERE lane = $1 RETURNING lane, head)
    INSERT INTO lane_event (lane, seq, kind, at, record, salt, leaf, leaf_hash)
    SELECT lane, head, $2, $3, $4, $5, $6, $7 FROM grown`;
  const values = [LANE, event.kind, event.at, fromUtf8(record), salt, leaf, leafHash(leaf)];
  await tx.query('resume-say', text, values);
}
