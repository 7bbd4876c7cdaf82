/**
 * The pool of key packages (RFC 9420 section 10, RFC 9750 section 5.1): each is given once; the last-resort one stays for
 * when the pool is empty; nothing outside its lifetime is given. What was given is remembered until it expires, so an
 * upload that is repeated does not bring a spent package back.
 */
import { type PublicHeader, readHeader } from '@sealpost/crypto/framing';
import type { Database, Sql } from '@sealpost/platform';
import { type DeviceId, equalBytes, fromBase64url, type Timestamp, toBase64url } from '@sealpost/protocol';
import type { KnownDevice } from '../directory/index.ts';
import { groupsError } from './groups-errors.ts';

export interface UploadedPackage {
  readonly keyPackage: string;
  readonly lastResort: boolean;
}

export interface ClaimedPackage {
  readonly device: DeviceId;
  readonly keyPackage: string | null;
}

interface CheckedPackage {
  readonly bytes: Uint8Array;
  readonly header: Extract<PublicHeader, { kind: 'key-package' }>;
}

/** MLS_128_DHKEMP256_AES128GCM_SHA256_P256 (RFC 9420 section 17.1): the one suite of an organisation’s conversations. */
const SUITE = 2;
/** Packages kept a device; a conversation or two a day for a year. */
const POOL_LIMIT = 500;
/** A package given now must still be good when the welcome is made. */
const MARGIN = 60_000;

const ADD = `
INSERT INTO key_package (device, reference, package, last_resort, not_before, not_after)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (reference) DO NOTHING RETURNING id`;

const SPEND_OLD_LAST_RESORT = `
UPDATE key_package SET spent_at = $3, package = NULL
WHERE device = $1 AND last_resort AND spent_at IS NULL AND id <> $2`;

const AVAILABLE = `
SELECT count(*)::int AS count FROM key_package
WHERE device = $1 AND NOT last_resort AND spent_at IS NULL AND not_after > $2`;

/** The CTE is materialized: a row is locked and spent exactly once, whatever the planner does. */
const CLAIM = `
WITH chosen AS MATERIALIZED (
  SELECT p.id, p.device, p.package FROM unnest($1::text[]) AS d(device)
  CROSS JOIN LATERAL (
    SELECT id, device, package FROM key_package
    WHERE device = d.device AND NOT last_resort AND spent_at IS NULL AND not_before <= $2 AND not_after > $3
    ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
  ) p
), spent AS (
  UPDATE key_package k SET spent_at = $2, package = NULL FROM chosen WHERE k.id = chosen.id RETURNING k.id
)
SELECT chosen.device, chosen.package FROM chosen JOIN spent USING (id)`;

const LAST_RESORT = `
SELECT device, package FROM key_package
WHERE device = ANY($1::text[]) AND last_resort AND spent_at IS NULL AND not_before <= $2 AND not_after > $3`;

export async function upload(
  database: Database,
  device: KnownDevice,
  packages: readonly UploadedPackage[],
  now: Timestamp,
): Promise<number> {
  const checked = packages.map((uploaded, at) => check(uploaded, at, device, now));
  return await database.transaction(async (tx) => {
    await forgetExpired(tx, device.device, now);
    for (const { bytes, header } of checked) {
      const { reference, lastResort, notBefore, notAfter } = header;
      const [added] = await tx.query<{ id: number }>('key-package-add', ADD, [
        device.device,
        reference,
        bytes,
        lastResort,
        notBefore,
        notAfter,
      ]);
      if (added !== undefined && lastResort)
        await tx.query('key-package-last', SPEND_OLD_LAST_RESORT, [device.device, added.id, now]);
    }
    const count = await available(tx, device.device, now);
    if (count > POOL_LIMIT) throw groupsError('ERR_GROUPS_POOL_FULL');
    return count;
  });
}

/** What can be told without opening anything: who it is for, how long, of which kind. Claimers verify its signature. */
function check(uploaded: UploadedPackage, at: number, device: KnownDevice, now: Timestamp): CheckedPackage {
  const refuse = (detail: string) =>
    groupsError('ERR_GROUPS_KEY_PACKAGE', { details: [{ pointer: `/packages/${at}/keyPackage`, detail }] });
  const bytes = fromBase64url(uploaded.keyPackage);
  const header = bytes === undefined ? undefined : readHeader(bytes);
  if (bytes === undefined || header?.kind !== 'key-package') throw refuse('not a key package');
  if (header.suite !== SUITE) throw refuse('another suite');
  const sameChain =
    header.chain.length === device.chain.length &&
    header.chain.every((der, place) => equalBytes(der, device.chain[place] ?? new Uint8Array(0)));
  if (!sameChain) throw refuse('another certificate than the enrolled one');
  if (header.lastResort !== uploaded.lastResort) throw refuse('last resort in one place and not in the other');
  if (header.notBefore > now + MARGIN || header.notAfter <= now + MARGIN) throw refuse('not valid now');
  return { bytes, header };
}

/** One package for each distinct device, or null where there is none; nothing is spent when this throws. */
export async function claim(
  database: Database,
  devices: readonly DeviceId[],
  now: Timestamp,
): Promise<ClaimedPackage[]> {
  // Always in one order, so that rows are locked in one order.
  const distinct = [...new Set(devices)].sort();
  const rows = await database.query<{ device: string; package: Uint8Array }>('key-package-claim', CLAIM, [
    distinct,
    now,
    now + MARGIN,
  ]);
  const given = new Map(rows.map((row) => [row.device, row.package]));
  const empty = distinct.filter((device) => !given.has(device));
  if (empty.length > 0) {
    const last = await database.query<{ device: string; package: Uint8Array }>('key-package-last-resort', LAST_RESORT, [
      empty,
      now,
      now + MARGIN,
    ]);
    for (const row of last) given.set(row.device, row.package);
  }
  return [...new Set(devices)].map((device) => {
    const bytes = given.get(device);
    return { device, keyPackage: bytes === undefined ? null : toBase64url(bytes) };
  });
}

/** One-time packages left; the last-resort one is not counted. */
export async function available(sql: Sql, device: DeviceId, now: Timestamp): Promise<number> {
  const [row] = await sql.query<{ count: number }>('key-package-available', AVAILABLE, [device, now + MARGIN]);
  return row?.count ?? 0;
}

/** An expired reference cannot come back: `check` refuses it. */
async function forgetExpired(tx: Sql, device: DeviceId, now: Timestamp): Promise<void> {
  await tx.query('key-package-expired', 'DELETE FROM key_package WHERE device = $1 AND not_after <= $2', [device, now]);
}

export async function removeAll(tx: Sql, device: DeviceId): Promise<void> {
  await tx.query('key-package-remove', 'DELETE FROM key_package WHERE device = $1', [device]);
}
