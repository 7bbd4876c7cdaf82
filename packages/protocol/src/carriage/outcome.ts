/**
 * The closed list of how one attempt can end, the same for every provider, and what a provider later says of it.
 * `reason` and `code` are the provider's own short codes; they never hold an address, a token or text a person wrote.
 */
import { z } from 'zod';
import { timestampSchema } from '../ids.ts';

const reason = z.string().min(1).max(120);
const providerMessageId = z.string().min(1).max(256);

export const outcomeSchema = z.discriminatedUnion('kind', [
  /** The provider took it and names it so. */
  z.strictObject({ kind: z.literal('accepted'), providerMessageId }),
  /** Certainly not taken; try again no sooner than `afterMs`. */
  z.strictObject({ kind: z.literal('retry-after'), afterMs: z.int().min(0), reason }),
  /** Sent, answer unknown: it may have had its effect. */
  z.strictObject({ kind: z.literal('ambiguous'), reason }),
  /** This channel cannot reach this address now; the ladder goes on. */
  z.strictObject({ kind: z.literal('downgrade'), reason }),
  /** This message will never be taken on this channel. */
  z.strictObject({ kind: z.literal('permanent'), reason }),
  /** The provider refuses our credentials; the channel needs its operator. */
  z.strictObject({ kind: z.literal('auth-broken'), reason }),
  /** The provider reports something a person must look at before anything more is sent. */
  z.strictObject({ kind: z.literal('security-stop'), reason }),
]);

/** How taking back what a provider accepted can end. */
export const revokeResultSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('revoked') }),
  /** The person has it, or the provider no longer knows it. */
  z.strictObject({ kind: z.literal('too-late'), reason }),
  z.strictObject({ kind: z.literal('retry-after'), afterMs: z.int().min(0), reason }),
  z.strictObject({ kind: z.literal('unknown'), reason }),
]);
export type RevokeResult = z.infer<typeof revokeResultSchema>;

export type Outcome = z.infer<typeof outcomeSchema>;
export type OutcomeKind = Outcome['kind'];

export const providerReceiptSchema = z.strictObject({
  /** Every spelling of the provider's id this receipt may be matched by (hex and decimal, with and without zeros). */
  providerMessageIds: z.array(providerMessageId).min(1).max(8),
  status: z.enum(['delivered', 'read', 'expired', 'failed']),
  /** The provider's own clock, where it says one. */
  at: timestampSchema.optional(),
  code: z.string().max(120),
});
export type ProviderReceipt = z.infer<typeof providerReceiptSchema>;

/** What the dispatcher reports of a task: the outcome of a try or of a query, or of taking a message back. */
export const reportSchema = z.union([
  outcomeSchema,
  z.strictObject({ kind: z.literal('taken-back'), result: revokeResultSchema }),
]);
export type Report = z.infer<typeof reportSchema>;
