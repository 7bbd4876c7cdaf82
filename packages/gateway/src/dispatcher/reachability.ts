/** Whether a vendor reaches a person, as it last said: asked rarely, because the answer is good for a while. */
import type { Reach } from '@sealpost/channels';
import type { Sql } from '@sealpost/platform';
import type { Timestamp } from '@sealpost/protocol';

const REACHABLE_FOR = 24 * 3_600_000;
/** Short: a phone that was off is not given up for a day. */
const UNREACHABLE_FOR = 3_600_000;

const KNOWN = 'SELECT reachable, until FROM capability WHERE recipient = $1 AND vendor = $2';
const NOTE = `
INSERT INTO capability (recipient, vendor, reachable, features, reason, until) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (recipient, vendor) DO UPDATE SET reachable = EXCLUDED.reachable, features = EXCLUDED.features,
  reason = EXCLUDED.reason, until = EXCLUDED.until`;

/** A person as one vendor sees them. */
export interface Pair {
  readonly recipient: string;
  readonly vendor: string;
}

export interface Known {
  readonly reachable: boolean;
  /** It may still be believed; otherwise it only tells what was there before. */
  readonly fresh: boolean;
}

/** `undefined` when nothing was ever said. */
export async function knownReach(sql: Sql, { recipient, vendor }: Pair, now: Timestamp): Promise<Known | undefined> {
  const [row] = await sql.query<{ reachable: boolean; until: number }>('dispatch-reach', KNOWN, [recipient, vendor]);
  return row === undefined ? undefined : { reachable: row.reachable, fresh: row.until > now };
}

/** Remembers an answer; `unknown` is none. */
export async function noteReach(sql: Sql, { recipient, vendor }: Pair, reach: Reach, now: Timestamp): Promise<void> {
  if (reach.kind === 'unknown') return;
  const row =
    reach.kind === 'reachable'
      ? [true, [...reach.features], 'reachable', now + REACHABLE_FOR]
      : [false, [], reach.reason, now + UNREACHABLE_FOR];
  await sql.query('dispatch-reach-note', NOTE, [recipient, vendor, ...row]);
}
