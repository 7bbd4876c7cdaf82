/**
 * Inputs whose decision failed: kept with the code, so that their lane goes on without them, and decided again with
 * growing pauses until it works. What is about the server and not about one message is told apart here and never kept.
 */
import type { Sql } from '@sealpost/platform';
import { SealpostError, type Timestamp } from '@sealpost/protocol';
import type { Taken } from './types.ts';

const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 3_600_000;

const KEEP =
  'INSERT INTO set_aside (lane, message, input, code, failures, at, due) VALUES ($1, $2, $3, $4, $5, $6, $7)';

/** In the transaction that took the input. Answers how often it has failed now. */
export async function setAside(
  tx: Sql,
  lane: number,
  { message, input, failures: before = 0 }: Taken,
  cause: unknown,
  now: Timestamp,
): Promise<number> {
  const failures = before + 1;
  const due = now + Math.min(FIRST_PAUSE * 2 ** Math.min(before, 30), LONGEST_PAUSE);
  await tx.query('delivery-set-aside', KEEP, [lane, message, JSON.stringify(input), codeOf(cause), failures, now, due]);
  return failures;
}

/** SQLSTATE classes that say something of the connection, the transaction or the server (PostgreSQL appendix A). */
const OF_THE_SERVER = /^(?:08|25|26|40|53|55|57|58|XX)[0-9A-Z]{3}$/;
/** Node's own names for what a socket does: ECONNRESET, EPIPE. */
const OF_THE_SOCKET = /^E[A-Z]+$/;

/** Whether the same would have happened to any input: then nothing is set aside and everything is tried again. */
export function isOfTheServer(cause: unknown): boolean {
  const code = rawCode(cause);
  return code !== undefined && (OF_THE_SERVER.test(code) || OF_THE_SOCKET.test(code));
}

/** A code that holds nothing of a message: ours, SQLSTATE, or the class of the error. */
export function codeOf(cause: unknown): string {
  if (cause instanceof SealpostError) return cause.code;
  const code = rawCode(cause);
  if (code !== undefined && /^[0-9A-Z_]{1,40}$/.test(code)) return code;
  return cause instanceof Error ? cause.name.slice(0, 40) : 'unknown';
}

function rawCode(cause: unknown): string | undefined {
  if (typeof cause !== 'object' || cause === null || !('code' in cause)) return undefined;
  return typeof cause.code === 'string' ? cause.code : undefined;
}
