/**
 * The heads of the gateway's log that control has seen. A C2SP checkpoint holds no time, so its age is measured by what
 * followed it: once control has known a larger head for five minutes, a smaller one is older than that, whoever serves it.
 * Two roots for one size are two logs, and refused for good.
 */
import type { Sql, Surroundings } from '@sealpost/platform';
import { equalBytes } from '@sealpost/protocol';
import type { Checkpoint } from '@sealpost/tlog';

export interface Heads {
  /** Remembers the head, and says how it stands to those seen before. */
  judge(checkpoint: Checkpoint): Promise<'fresh' | 'stale' | 'forked'>;
}

/** DESIGN section 8: a lookup is proved against a checkpoint at most five minutes old. */
const OLDEST = 300_000;
/** A head is remembered once for each step of the log that this process first saw. */
const KEPT = 1024;

export function createHeads({ sql, surroundings }: { sql: Sql; surroundings: Surroundings }): Heads {
  const known = new Map<number, Uint8Array>();
  return {
    async judge({ size, root }) {
      const now = surroundings.now();
      if (known.get(size) === undefined) {
        await sql.query(
          'log-head-see',
          'INSERT INTO log_head (size, root, seen_at) VALUES ($1, $2, $3) ON CONFLICT (size) DO NOTHING',
          [size, root, now],
        );
        const [row] = await sql.query<{ root: Uint8Array }>(
          'log-head-root',
          'SELECT root FROM log_head WHERE size = $1',
          [size],
        );
        if (row === undefined) throw new TypeError('a head was just remembered');
        if (known.size >= KEPT) known.clear();
        known.set(size, row.root);
      }
      if (!equalBytes(known.get(size) ?? new Uint8Array(), root)) return 'forked';
      const larger = await sql.query(
        'log-head-larger',
        'SELECT 1 AS found FROM log_head WHERE size > $1 AND seen_at < $2 LIMIT 1',
        [size, now - OLDEST],
      );
      return larger.length === 0 ? 'fresh' : 'stale';
    },
  };
}
