/**
 * What waits to be decided: due timers, outcomes the dispatcher reported, provider receipts that match an attempt, inputs
 * that were set aside and are due again. Finding takes no lock; taking deletes the row inside the deciding transaction, after the lane lock, so that of two nodes that
 * found the same row one gets it.
 */
import type { Sql } from '@sealpost/platform';
import type { Timestamp } from '@sealpost/protocol';
import {
  type AsideRow,
  inputOfAside,
  inputOfOutcome,
  inputOfReceipt,
  inputOfTimer,
  type OutcomeRow,
  type ReceiptRow,
  type TimerRow,
} from './inbox-schema.ts';
import type { Taken } from './types.ts';

export interface Waiting {
  readonly source: 'outcome' | 'receipt' | 'timer' | 'aside';
  readonly id: number;
  readonly lane: number;
}

/** A source at a time; a lane is held, and intake into it waits, while its share of this is decided. */
const BATCH = 100;

/** Spellings of an id are listed the exact one first: the first that is known counts, not whichever is found first. */
const FIRST_NAME = `
SELECT m.lane, m.message, m.attempt FROM provider_message m
WHERE m.vendor = r.vendor AND m.provider_id = ANY(r.ids) ORDER BY array_position(r.ids, m.provider_id) LIMIT 1`;

const OUTCOMES = 'SELECT id, lane FROM attempt_outcome ORDER BY id LIMIT $1';
const MATCHED_RECEIPTS = `
SELECT r.id, p.lane FROM provider_receipt r JOIN LATERAL (${FIRST_NAME}) p ON true ORDER BY r.id LIMIT $1`;
const DUE_TIMERS = 'SELECT id, lane FROM timer WHERE due <= $2 ORDER BY due, id LIMIT $1';
const DUE_ASIDE = 'SELECT id, lane FROM set_aside WHERE due <= $2 ORDER BY due, id LIMIT $1';

const TAKE_OUTCOMES =
  'DELETE FROM attempt_outcome WHERE id = ANY($1::bigint[]) RETURNING id, message, attempt, outcome';
/** Another spelling may have become known since the receipt was found; one of another lane is left for the next look. */
const TAKE_RECEIPTS = `
WITH matched AS (
  SELECT r.id, p.message, p.attempt FROM provider_receipt r JOIN LATERAL (${FIRST_NAME}) p ON p.lane = $2
  WHERE r.id = ANY($1::bigint[])
), taken AS (
  DELETE FROM provider_receipt WHERE id IN (SELECT id FROM matched) RETURNING id, status, code
)
SELECT id, status, code, message, attempt FROM taken JOIN matched USING (id) ORDER BY id`;
const TAKE_TIMERS = 'DELETE FROM timer WHERE id = ANY($1::bigint[]) RETURNING id, message, kind, step, due';
const TAKE_ASIDE = 'DELETE FROM set_aside WHERE id = ANY($1::bigint[]) RETURNING id, message, input, failures';

/** What may be decided now, a batch of each source, oldest first. */
export async function findWaiting(sql: Sql, now: Timestamp): Promise<Waiting[]> {
  const find = async (source: Waiting['source'], name: string, text: string, values: readonly unknown[]) =>
    (await sql.query<{ id: number; lane: number }>(name, text, values)).map((row): Waiting => ({ source, ...row }));
  return [
    ...(await find('aside', 'delivery-aside', DUE_ASIDE, [BATCH, now])),
    ...(await find('outcome', 'delivery-outcomes', OUTCOMES, [BATCH])),
    ...(await find('receipt', 'delivery-receipts', MATCHED_RECEIPTS, [BATCH])),
    ...(await find('timer', 'delivery-due', DUE_TIMERS, [BATCH, now])),
  ];
}

/**
 * Takes what is still there of `waiting`; the caller's transaction holds the lane. What was set aside comes first, then
 * outcomes, receipts, and timers in the order they were due: a step that came due late is not overtaken by the next.
 */
export async function take(tx: Sql, lane: number, waiting: readonly Waiting[]): Promise<Taken[]> {
  const ids = (source: Waiting['source']) => waiting.filter((row) => row.source === source).map(({ id }) => id);
  const aside = await tx.query<AsideRow>('delivery-take-aside', TAKE_ASIDE, [ids('aside')]);
  const outcomes = await tx.query<OutcomeRow>('delivery-take-outcomes', TAKE_OUTCOMES, [ids('outcome')]);
  const receipts = await tx.query<ReceiptRow>('delivery-take-receipts', TAKE_RECEIPTS, [ids('receipt'), lane]);
  const timers = await tx.query<TimerRow>('delivery-take-timers', TAKE_TIMERS, [ids('timer')]);
  return [
    ...aside.sort((a, b) => a.id - b.id).map(inputOfAside),
    ...outcomes.sort((a, b) => a.id - b.id).flatMap(inputOfOutcome),
    ...receipts.map(inputOfReceipt),
    ...timers.sort((a, b) => a.due - b.due || a.id - b.id).map(inputOfTimer),
  ];
}

const PRUNE_RECEIPTS = `
WITH gone AS (DELETE FROM provider_receipt WHERE received < $1 RETURNING vendor)
SELECT vendor, count(*)::int AS count FROM gone GROUP BY vendor`;
const PRUNE_NAMES = 'DELETE FROM provider_message WHERE expires < $1';

/** Names nobody will use again go, and receipts no message was found for; answers how many of those a vendor had. */
export async function prune(sql: Sql, before: Timestamp): Promise<{ vendor: string; count: number }[]> {
  await sql.query('delivery-prune-names', PRUNE_NAMES, [before]);
  return sql.query<{ vendor: string; count: number }>('delivery-prune-receipts', PRUNE_RECEIPTS, [before]);
}
