/** Rows that say nothing any more: rates whose time has passed, answers about people's reachability nobody asked for again. */
import type { Logger, Sql } from '@sealpost/platform';
import type { Timestamp } from '@sealpost/protocol';

const EVERY = 600_000;
/** An answer that is no longer believed still tells that a person was reachable before. */
const ANSWERS_KEPT = 7 * 86_400_000;

const SWEEP_RATES = 'DELETE FROM rate WHERE arrival < $1';
const SWEEP_REACH = 'DELETE FROM capability WHERE until < $1';

export async function sweep(sql: Sql, now: Timestamp): Promise<void> {
  // The algorithm takes a key without a row as one whose time has passed.
  await sql.query('dispatch-sweep-rates', SWEEP_RATES, [now]);
  await sql.query('dispatch-sweep-reach', SWEEP_REACH, [now - ANSWERS_KEPT]);
}

/** Answers what ends it. */
export function startSweeping(sql: Sql, now: () => Timestamp, logger: Logger): () => void {
  const timer = setInterval(() => {
    sweep(sql, now()).catch(() => logger.warn('sweeping failed', { reason: 'database' }));
  }, EVERY);
  return () => clearInterval(timer);
}
