/**
 * What people send back over a channel: replies, taps on suggestions, files, and the wish to be left alone. The vendor has
 * read it; the dispatcher seals it to control at once, so that the gateway stores nothing readable.
 */
import { z } from 'zod';
import { timestampSchema, vendorNameSchema } from '../ids.ts';

export const inboundContentSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('text'), text: z.string().min(1).max(200_000) }),
  /** A suggestion was tapped: `data` is what `suggestionSchema` put there. */
  z.strictObject({ kind: z.literal('suggestion'), data: z.string().max(2048), text: z.string().max(300).optional() }),
  /** A file the vendor keeps; it is not fetched here. */
  z.strictObject({
    kind: z.literal('file'),
    name: z.string().max(300).optional(),
    mediaType: z.string().max(120).optional(),
    url: z.string().max(4096).optional(),
  }),
  /** STOP and its kin, or the vendor's own word for it: nothing more may be sent to this address by this sender. */
  z.strictObject({ kind: z.literal('opt-out') }),
  z.strictObject({ kind: z.literal('opt-in') }),
]);

export const inboundSchema = z.strictObject({
  /** The vendor's own id: the same message told twice is taken once. */
  id: z.string().min(1).max(256),
  address: z.string().min(1).max(4096),
  content: inboundContentSchema,
  /** The vendor's own clock, where it says one. */
  at: timestampSchema.optional(),
  /** The vendor's name of the message this answers, where it says one. */
  about: z.string().max(256).optional(),
});
export type Inbound = z.infer<typeof inboundSchema>;
export type InboundContent = z.infer<typeof inboundContentSchema>;

/** The plaintext of a sealed inbound message, as the dispatcher seals it to control. */
export const sealedInboundSchema = z.strictObject({
  v: z.literal(1),
  vendor: vendorNameSchema,
  inbound: inboundSchema,
});
export type SealedInbound = z.infer<typeof sealedInboundSchema>;
