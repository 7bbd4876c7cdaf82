/**
 * The directory's SQL. Callers that write hold the lane lock of the member, so a chain is read and extended by one at a
 * time; devices are read without any lock and are never cached: a revocation counts from its commit, on every node.
 */
import type { Sql } from '@sealpost/platform';
import type { DeviceId, DirectoryEntry, KeyId, MemberId, Timestamp } from '@sealpost/protocol';
import { type DeviceRow, deviceIds, type KnownDevice, knownDevice } from './device-row-schema.ts';

export interface StoredEntry {
  readonly jws: string;
  readonly hash: string;
  readonly lane: number;
  readonly sequence: number;
}

const CHAIN = 'SELECT jws, hash, lane, seq AS sequence FROM directory_entry WHERE member = $1 ORDER BY number';

/** Entry `number` exists once a member: the database too refuses a second one on the same head. */
const ADD_ENTRY = `
INSERT INTO directory_entry (member, number, hash, device, change, jws, approved, lane, seq)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`;

const PUT_DEVICE = `
INSERT INTO device (device, member, key_id, public_jwk, uri, chain, not_after) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (device) DO UPDATE SET chain = $6, not_after = $7`;

const DEVICE = 'SELECT member, device, public_jwk, uri, chain, not_after, revoked_at FROM device';

/** A member's entries, oldest first. */
export async function chainOf(sql: Sql, member: MemberId): Promise<StoredEntry[]> {
  return sql.query<{ jws: string; hash: string; lane: number; sequence: number }>('directory-chain', CHAIN, [member]);
}

/** Whether this device may be written: new, or known with the same member and key and not revoked. */
export async function isFree(tx: Sql, device: DeviceId, member: MemberId, keyId: KeyId): Promise<boolean> {
  const rows = await tx.query(
    'directory-taken',
    `SELECT 1 FROM device WHERE (device = $1 OR key_id = $3)
       AND NOT (device = $1 AND member = $2 AND key_id = $3 AND revoked_at IS NULL)`,
    [device, member, keyId],
  );
  return rows.length === 0;
}

export async function addEntry(
  tx: Sql,
  entry: DirectoryEntry,
  { number, approved, ...stored }: StoredEntry & { readonly number: number; readonly approved: string },
): Promise<void> {
  await tx.query('directory-add', ADD_ENTRY, [
    entry.member,
    number,
    stored.hash,
    entry.device,
    entry.change,
    stored.jws,
    approved,
    stored.lane,
    stored.sequence,
  ]);
}

export async function putDevice(
  tx: Sql,
  { device, member, publicJwk, uri }: Omit<KnownDevice, 'active' | 'chain'>,
  { keyId, chain, notAfter }: { keyId: KeyId; chain: readonly string[]; notAfter: Timestamp },
): Promise<void> {
  await tx.query('directory-put', PUT_DEVICE, [
    device,
    member,
    keyId,
    JSON.stringify(publicJwk),
    uri,
    [...chain],
    notAfter,
  ]);
}

/** Answers whether there was an unrevoked device of that member. */
export async function revokeDevice(tx: Sql, device: DeviceId, member: MemberId, now: Timestamp): Promise<boolean> {
  const rows = await tx.query(
    'directory-revoke',
    'UPDATE device SET revoked_at = $3 WHERE device = $1 AND member = $2 AND revoked_at IS NULL RETURNING device',
    [device, member, now],
  );
  return rows.length === 1;
}

export async function deviceOf(sql: Sql, device: DeviceId, now: Timestamp): Promise<KnownDevice | undefined> {
  const [row] = await sql.query<DeviceRow>('directory-device', `${DEVICE} WHERE device = $1`, [device]);
  return row === undefined ? undefined : knownDevice(row, now);
}

export async function deviceOfKey(sql: Sql, keyId: KeyId, now: Timestamp): Promise<KnownDevice | undefined> {
  const [row] = await sql.query<DeviceRow>('directory-device-key', `${DEVICE} WHERE key_id = $1`, [keyId]);
  return row === undefined ? undefined : knownDevice(row, now);
}

/** Those of `devices` that are unknown, revoked or lapsed. */
export async function inactiveOf(sql: Sql, devices: readonly DeviceId[], now: Timestamp): Promise<DeviceId[]> {
  return deviceIds(
    await sql.query<{ device: string }>(
      'directory-inactive',
      `SELECT d.device FROM unnest($1::text[]) AS d(device)
       WHERE NOT EXISTS (SELECT 1 FROM device k WHERE k.device = d.device AND k.revoked_at IS NULL AND k.not_after >= $2)`,
      [[...devices], now],
    ),
  );
}

/** As above; a revocation of the others waits for the caller's transaction. */
export async function holdActive(tx: Sql, devices: readonly DeviceId[], now: Timestamp): Promise<DeviceId[]> {
  const rows = await tx.query<{ device: string }>(
    'directory-hold',
    `SELECT device FROM device WHERE device = ANY($1::text[]) AND revoked_at IS NULL AND not_after >= $2
     ORDER BY device FOR SHARE`,
    [[...devices], now],
  );
  const held = new Set(rows.map(({ device }) => device));
  return devices.filter((device) => !held.has(device));
}
