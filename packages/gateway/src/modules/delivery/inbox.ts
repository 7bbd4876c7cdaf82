/**
 * What waits to be decided: due timers, outcomes the dispatcher reported, provider receipts that match an attempt. Finding
 * takes no lock; taking deletes the row inside the deciding transaction, after the lane lock, so that of two nodes that
 * found the same row one gets it.
 */
import type { Sql } from '@sealpost/platform';
import type { Timestamp } from '@sealpost/protocol';
import {
  inputOfOutcome,
  inputOfReceipt,
  inputOfTimer,
  type OutcomeRow,
  type ReceiptRow,
  type TimerRow,
} from './inbox-schema.ts';
import type { Taken } from './types.ts';

export interface Waiting {
  readonly source: 'timer' | 'outcome' | 'receipt';
  readonly id: number;
  readonly lane: number;
}

const BATCH = 500;

const DUE_TIMERS = 'SELECT id, lane FROM timer WHERE due <= $1 ORDER BY due LIMIT $2';
const OUTCOMES = 'SELECT id, lane FROM attempt_outcome ORDER BY id LIMIT $1';
const MATCHED_RECEIPTS = `
SELECT r.id, p.lane FROM provider_receipt r
JOIN LATERAL (SELECT m.lane FROM provider_message m WHERE m.channel = r.channel AND m.provider_id = ANY(r.ids) LIMIT 1) p ON true
ORDER BY r.id LIMIT $1`;

const TAKE_TIMERS = 'DELETE FROM timer WHERE id = ANY($1::bigint[]) RETURNING message, kind, step';
const TAKE_OUTCOMES =
  'DELETE FROM attempt_outcome WHERE id = ANY($1::bigint[]) RETURNING id, message, attempt, outcome';
const TAKE_RECEIPTS = `
WITH taken AS (DELETE FROM provider_receipt WHERE id = ANY($1::bigint[]) RETURNING id, channel, ids, status, code)
SELECT t.id, t.status, t.code, p.message, p.attempt FROM taken t
JOIN LATERAL (SELECT m.message, m.attempt FROM provider_message m WHERE m.channel = t.channel AND m.provider_id = ANY(t.ids) LIMIT 1) p ON true
ORDER BY t.id`;

/** Everything that may be decided now, oldest first a source. */
export async function findWaiting(sql: Sql, now: Timestamp): Promise<Waiting[]> {
  const of =
    (source: Waiting['source']) =>
    (row: { id: number; lane: number }): Waiting => ({ source, ...row });
  return [
    ...(await sql.query<{ id: number; lane: number }>('delivery-outcomes', OUTCOMES, [BATCH])).map(of('outcome')),
    ...(await sql.query<{ id: number; lane: number }>('delivery-receipts', MATCHED_RECEIPTS, [BATCH])).map(
      of('receipt'),
    ),
    ...(await sql.query<{ id: number; lane: number }>('delivery-due', DUE_TIMERS, [now, BATCH])).map(of('timer')),
  ];
}

/** Takes what is still there of `waiting`; the caller's transaction holds the lane. Outcomes come before receipts before timers. */
export async function take(tx: Sql, waiting: readonly Waiting[]): Promise<Taken[]> {
  const ids = (source: Waiting['source']) => waiting.filter((row) => row.source === source).map(({ id }) => id);
  const outcomes = await tx.query<OutcomeRow>('delivery-take-outcomes', TAKE_OUTCOMES, [ids('outcome')]);
  const receipts = await tx.query<ReceiptRow>('delivery-take-receipts', TAKE_RECEIPTS, [ids('receipt')]);
  const timers = await tx.query<TimerRow>('delivery-take-timers', TAKE_TIMERS, [ids('timer')]);
  return [
    ...outcomes.sort((a, b) => a.id - b.id).map(inputOfOutcome),
    ...receipts.map(inputOfReceipt),
    ...timers.map(inputOfTimer),
  ];
}

const PRUNE_RECEIPTS = 'DELETE FROM provider_receipt WHERE received < $1';
const PRUNE_NAMES = 'DELETE FROM provider_message WHERE expires < $1';

/** Receipts nobody asked for and names nobody will use again. */
export async function prune(sql: Sql, before: Timestamp): Promise<void> {
  await sql.query('delivery-prune-receipts', PRUNE_RECEIPTS, [before]);
  await sql.query('delivery-prune-names', PRUNE_NAMES, [before]);
}
