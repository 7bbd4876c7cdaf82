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

/** Several at once, each by its share of the events. */
export const faultSharesSchema = z
  .tuple([faultSchema], faultSchema)
  .refine(
    (faults) => faults.every(({ rate, count, kind }) => rate !== undefined && count === undefined && kind !== 'ok'),
    {
      message: 'faults that hold at once each need a rate, and no count',
    },
  )
  .refine((faults) => faults.reduce((sum, { rate = 0 }) => sum + rate, 0) <= 1, {
    message: 'rates add up to 1 at most',
  });

const wordsSchema = z.string().min(1).max(2000);

/** What a person writes; see `written.ts`. */
export const writtenSchema = z.union([
  z.strictObject({ channel: z.literal('rcs'), kind: z.literal('text'), text: wordsSchema }),
  z.strictObject({
    channel: z.literal('rcs'),
    kind: z.literal('suggestion'),
    text: z.string().min(1).max(25),
    postbackData: z.string().min(1).max(2048),
  }),
  z.strictObject({ channel: z.literal('rcs'), kind: z.enum(['unsubscribe', 'subscribe']) }),
  z.strictObject({
    channel: z.literal('sms'),
    kind: z.literal('text'),
    text: wordsSchema,
    to: z.string().regex(/^\d{3,15}$/, 'use digits: a number without its plus sign, or a short code'),
  }),
]);

export const numberSchema = z.string().regex(/^\+[1-9]\d{4,14}$/, 'use E.164, for example +4915112345678');
