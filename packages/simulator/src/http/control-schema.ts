/**
 * What the control API is sent. Unknown members are refused: a misspelled fault must not pass for none.
 */
import { z } from 'zod';
import { FAULT_KINDS } from '../faults.ts';

export const phoneChangeSchema = z.strictObject({
  rcs: z.boolean().optional(),
  online: z.boolean().optional(),
  readReceipts: z.boolean().optional(),
});

export const faultSchema = z
  .strictObject({
    kind: z.enum(FAULT_KINDS),
    rate: z.number().min(0).max(1).optional(),
    count: z.int().min(1).optional(),
    delayMs: z.int().min(0).max(600_000).optional(),
  })
  .refine(({ kind, rate, count }) => kind !== 'refuse' || (rate === undefined && count === undefined), {
    message: 'refuse closes the port until it is cleared: rate and count do not apply',
  });

export const numberSchema = z.string().regex(/^\+[1-9]\d{4,14}$/, 'use E.164, for example +4915112345678');
