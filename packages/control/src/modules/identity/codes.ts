/**
 * Codes people type: how long one may live, and how often wrong ones may come. Five from one address and a hundred in all
 * within ten minutes, for each kind of code, counted in the database so that a restart forgets nothing. Addresses are kept
 * as hashes and only for that window.
 */
import { sha256 } from '@sealpost/crypto/verify';
import type { Sql, Surroundings } from '@sealpost/platform';
import { type Timestamp, toBase64url, utf8 } from '@sealpost/protocol';

const LIFETIME = 10 * 60_000;
const CLOCK_SKEW = 60_000;
const WINDOW = 10 * 60_000;
const LIMITS = { one: 5, all: 100 } as const;

/** What a code is for; wrong ones of one kind do not use up the tries of another. */
export type CodeKind = 'enrollment' | 'console';

export interface Attempts {
  /** Seconds to wait when this address, or everybody together, failed too often; `undefined` when it may try. */
  wait(address: string): Promise<number | undefined>;
  failed(address: string): Promise<void>;
}

/** A code ends in the future and within ten minutes; clocks of operators run ahead. */
export function mayLive(expires: Timestamp, now: Timestamp): boolean {
  return expires > now && expires <= now + LIFETIME + CLOCK_SKEW;
}

/** What a code is known by here. */
export function codeHashOf(code: string): string {
  return toBase64url(sha256(utf8(code)));
}

export function createAttempts(deps: { sql: Sql; surroundings: Surroundings; kind: CodeKind }): Attempts {
  const { sql, surroundings, kind } = deps;
  const all = kind === 'enrollment' ? 'all' : `all ${kind}`;
  const windowStart = () => Math.floor(surroundings.now() / WINDOW) * WINDOW;
  const sourceOf = (address: string) => toBase64url(sha256(utf8(`sealpost/${kind}-source/${address}`)));
  return {
    async wait(address) {
      const start = windowStart();
      const rows = await sql.query<{ source: string; failures: number }>(
        'enrollment-failures',
        'SELECT source, failures FROM enrollment_failure WHERE window_start = $1 AND source = ANY($2)',
        [start, [sourceOf(address), all]],
      );
      const spent = rows.some(({ source, failures }) => failures >= (source === all ? LIMITS.all : LIMITS.one));
      return spent ? Math.ceil((start + WINDOW - surroundings.now()) / 1000) : undefined;
    },
    async failed(address) {
      const start = windowStart();
      await sql.query('enrollment-failures-prune', 'DELETE FROM enrollment_failure WHERE window_start < $1', [start]);
      await sql.query(
        'enrollment-failure',
        `INSERT INTO enrollment_failure (source, window_start, failures) SELECT unnest($1::text[]), $2, 1
         ON CONFLICT (source, window_start) DO UPDATE SET failures = enrollment_failure.failures + 1`,
        [[all, sourceOf(address)], start],
      );
    },
  };
}
