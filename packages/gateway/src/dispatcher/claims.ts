/**
 * Attempts as the dispatcher sees them: leased one try at a time, reported once. The lease's epoch fences a dispatcher that
 * was slow: its report counts only while no other has taken the try over.
 */
import type { Sql } from '@sealpost/platform';
import type { Timestamp } from '@sealpost/protocol';
import type { ProviderReceipt, Report } from '@sealpost/protocol/carriage';
import { type AttemptRow, type Claimed, claimedOf, type Lease } from './claim-schema.ts';

/** Renewed while a try is under way; what is not, another dispatcher may take over. */
export const LEASE_MS = 30_000;

/** `lease_owner` still set means an earlier try never reported: it may have had its effect. */
const CLAIM = `
WITH ready AS (
  SELECT id, lease_owner IS NOT NULL AS interrupted FROM attempt
  WHERE NOT done AND available_at <= $1 AND lease_until < $1
  ORDER BY available_at LIMIT $2 FOR UPDATE SKIP LOCKED
)
UPDATE attempt a SET lease_owner = $3, lease_until = $4, lease_epoch = a.lease_epoch + 1
FROM ready WHERE a.id = ready.id
RETURNING a.id, a.message, a.organisation, a.flow, a.floor, a.channel, a.vendor, a.adapter, a.use, a.part, a.expires,
  a.task, a.recipient, a.limits, a.provider_id, a.lease_epoch AS epoch, ready.interrupted`;

const RENEW = `
UPDATE attempt a SET lease_until = $3 FROM unnest($1::uuid[], $2::bigint[]) AS mine(id, epoch)
WHERE a.id = mine.id AND a.lease_epoch = mine.epoch AND a.lease_owner IS NOT NULL`;

/** A report repeated because its answer was lost finds its try over, and not the retry it caused: that has no owner yet. */
const FINISH = `
WITH mine AS (
  UPDATE attempt SET done = true, lease_owner = NULL, lease_until = 0
  WHERE id = $1 AND lease_epoch = $2 AND lease_owner IS NOT NULL AND NOT done RETURNING id, lane, message
)
INSERT INTO attempt_outcome (attempt, lane, message, outcome, at) SELECT id, lane, message, $3, $4 FROM mine RETURNING 1 AS one`;

const ADD_RECEIPT = 'INSERT INTO provider_receipt (vendor, ids, status, code, received) VALUES ($1, $2, $3, $4, $5)';

const NEXT = 'SELECT min(GREATEST(available_at, lease_until)) AS due FROM attempt WHERE NOT done';

export async function claimAttempts(sql: Sql, owner: string, limit: number, now: Timestamp): Promise<Claimed[]> {
  return (await sql.query<AttemptRow>('dispatch-claim', CLAIM, [now, limit, owner, now + LEASE_MS])).map(claimedOf);
}

export async function renewLeases(sql: Sql, leases: readonly Lease[], now: Timestamp): Promise<void> {
  if (leases.length === 0) return;
  const values = [leases.map(({ id }) => id), leases.map(({ epoch }) => epoch), now + LEASE_MS];
  await sql.query('dispatch-renew', RENEW, values);
}

/** `false` when it was reported before, or the try was taken over meanwhile. */
export async function reportOutcome(sql: Sql, { id, epoch }: Lease, report: Report, now: Timestamp): Promise<boolean> {
  return (await sql.query('dispatch-finish', FINISH, [id, epoch, JSON.stringify(report), now])).length === 1;
}

/** When the next attempt may be claimed; `undefined` when there is none. */
export async function nextDue(sql: Sql): Promise<Timestamp | undefined> {
  const [row] = await sql.query<{ due: number | null }>('dispatch-next', NEXT);
  return row?.due ?? undefined;
}

/** A provider repeats what is not stored until it is, so nothing it can write may be impossible to store: no U+0000. */
export async function storeReceipts(
  sql: Sql,
  vendor: string,
  receipts: readonly ProviderReceipt[],
  now: Timestamp,
): Promise<void> {
  for (const { providerMessageIds, status, code } of receipts) {
    const ids = providerMessageIds.filter((id) => !id.includes('\0'));
    if (ids.length === 0) continue;
    await sql.query('dispatch-receipt', ADD_RECEIPT, [vendor, ids, status, code.replaceAll('\0', ''), now]);
  }
}
