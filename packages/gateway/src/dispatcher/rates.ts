/**
 * Rates by the generic cell rate algorithm (ITU-T I.371, Annex A): a row a key says when the next send would be on time, so
 * that all nodes keep one bound with one conditional statement. A send under several bounds takes all of them or none.
 */
import type { Database, Sql } from '@sealpost/platform';
import type { Timestamp } from '@sealpost/protocol';
import type { Bound } from './claim-schema.ts';

const TAKE = `
INSERT INTO rate AS r (key, arrival) VALUES ($1, $2::bigint + $3::bigint)
ON CONFLICT (key) DO UPDATE SET arrival = GREATEST(r.arrival, $2) + $3 WHERE r.arrival <= $2 + $4 RETURNING 1 AS one`;
const ARRIVAL = 'SELECT arrival FROM rate WHERE key = $1';

/** Milliseconds between two sends in the long run, and how early one may be. */
export interface Pace {
  readonly gap: number;
  readonly tolerance: number;
}

/**
 * A burst and the even stream after it count together: half of `count` may go at once, and the rest is spread so that no
 * stretch of `per` holds more than `count`. With the whole count as the burst it could hold nearly twice as many.
 */
export function paceOf({ count, per }: Pick<Bound, 'count' | 'per'>): Pace {
  const burst = Math.ceil(count / 2);
  const gap = Math.ceil(per / (count - burst + 1));
  return { gap, tolerance: (burst - 1) * gap };
}

/** Takes one send under every bound; otherwise takes none and answers how long to wait. */
export async function takeRates(
  database: Pick<Database, 'transaction'>,
  bounds: readonly Bound[],
  now: Timestamp,
): Promise<number | undefined> {
  if (bounds.length === 0) return undefined;
  // In one order everywhere: two sends that share two keys must not wait for each other.
  const ordered = bounds.toSorted((a, b) => (a.key < b.key ? -1 : 1));
  try {
    await database.transaction(async (tx) => {
      for (const bound of ordered) await takeRate(tx, bound, now);
    });
    return undefined;
  } catch (cause) {
    if (cause instanceof Exceeded) return cause.wait;
    throw cause;
  }
}

/** Rolls back what was taken under other bounds. */
class Exceeded extends Error {
  readonly wait: number;
  constructor(wait: number) {
    super('a rate is used up');
    this.wait = wait;
  }
}

async function takeRate(tx: Sql, bound: Bound, now: Timestamp): Promise<void> {
  const { gap, tolerance } = paceOf(bound);
  const taken = await tx.query('dispatch-rate', TAKE, [bound.key, now, gap, tolerance]);
  if (taken.length === 1) return;
  const [row] = await tx.query<{ arrival: number }>('dispatch-rate-arrival', ARRIVAL, [bound.key]);
  throw new Exceeded(Math.max(1, (row?.arrival ?? now) - tolerance - now));
}
