/**
 * Durations as people write them in channel settings ("500ms", "10s", "2m", or plain milliseconds), as the adapters use
 * them: milliseconds, parsed once (STYLE 3.2).
 */
import { z } from 'zod';

const MILLISECONDS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;
type Unit = keyof typeof MILLISECONDS;

const isUnit = (unit: string | undefined): unit is Unit => unit !== undefined && unit in MILLISECONDS;

/** A duration between `min` and `max` milliseconds. */
export function durationSchema(min: number, max: number) {
  return z.union([z.int(), z.string().max(16)]).transform((written, context) => {
    const milliseconds = typeof written === 'number' ? written : parseDuration(written);
    if (milliseconds !== undefined && milliseconds >= min && milliseconds <= max) return milliseconds;
    context.addIssue({ code: 'custom', message: `use a duration from ${min}ms to ${max}ms, for example "10s"` });
    return z.NEVER;
  });
}

function parseDuration(written: string): number | undefined {
  const [, digits, unit] = /^(\d{1,9})(ms|s|m|h)$/.exec(written) ?? [];
  return digits !== undefined && isUnit(unit) ? Number(digits) * MILLISECONDS[unit] : undefined;
}
