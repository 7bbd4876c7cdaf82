/** How long to wait before the next attempt: doubling up to a bound, the upper half of it by chance so that devices spread. */

const FIRST = 500;
const LONGEST = 30_000;

/** `failures` since the last success, at least 1; `random` answers that many unpredictable bytes. */
export function backoff(failures: number, random: (length: number) => Uint8Array): number {
  const bound = Math.min(LONGEST, FIRST * 2 ** Math.min(failures - 1, 16));
  const [high = 0, low = 0] = random(2);
  return Math.round(bound / 2 + (bound / 2) * ((high * 256 + low) / 0xffff));
}
