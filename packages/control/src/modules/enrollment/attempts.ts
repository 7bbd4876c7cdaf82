/**
 * How often wrong codes may come: five from one address and a hundred in all within ten minutes, counted in the database
 * so that a restart forgets nothing. Addresses are kept as hashes and only for that window.
 */
import { sha256 } from '@sealpost/crypto/verify';
import type { Sql, Surroundings } from '@sealpost/platform';
import { toBase64url, utf8 } from '@sealpost/protocol';
import { enrollmentError } from './enrollment-errors.ts';

const WINDOW = 10 * 60_000;
const LIMITS = { one: 5, all: 100 } as const;
const ALL = 'all';

export interface Attempts {
  /** Throws ERR_ENROLLMENT_LIMITED when this address, or everybody together, failed too often. */
  check(address: string): Promise<void>;
  failed(address: string): Promise<void>;
}

export function createAttempts({ sql, surroundings }: { sql: Sql; surroundings: Surroundings }): Attempts {
  const windowStart = () => Math.floor(surroundings.now() / WINDOW) * WINDOW;
  const sourceOf = (address: string) => toBase64url(sha256(utf8(`sealpost/enrollment-source/${address}`)));
  return {
    async check(address) {
      const start = windowStart();
      const rows = await sql.query<{ source: string; failures: number }>(
        'enrollment-failures',
        'SELECT source, failures FROM enrollment_failure WHERE window_start = $1 AND source = ANY($2)',
        [start, [sourceOf(address), ALL]],
      );
      const spent = rows.some(({ source, failures }) => failures >= (source === ALL ? LIMITS.all : LIMITS.one));
      if (!spent) return;
      const retryAfter = Math.ceil((start + WINDOW - surroundings.now()) / 1000);
      throw enrollmentError('ERR_ENROLLMENT_LIMITED', { retryAfter });
    },
    async failed(address) {
      const start = windowStart();
      await sql.query('enrollment-failures-prune', 'DELETE FROM enrollment_failure WHERE window_start < $1', [start]);
      await sql.query(
        'enrollment-failure',
        `INSERT INTO enrollment_failure (source, window_start, failures) SELECT unnest($1::text[]), $2, 1
         ON CONFLICT (source, window_start) DO UPDATE SET failures = enrollment_failure.failures + 1`,
        [[ALL, sourceOf(address)], start],
      );
    },
  };
}
