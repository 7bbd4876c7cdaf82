/** The plaintext inside a device part. The opening key commits to it (message franking); recipients check it first. */
import { z } from 'zod';
import { base64urlSchema, blobIdSchema } from '../ids.ts';

/** One file, sealed chunk by chunk (RFC 8188) into the blob store before the message that names it. */
export const attachmentSchema = z.strictObject({
  name: z.string().min(1).max(200),
  mediaType: z.string().min(3).max(100),
  /** Bytes of the plaintext. */
  size: z.int().min(0),
  /** SHA-256 of the plaintext. */
  digest: base64urlSchema(43),
  blob: blobIdSchema,
  /** 16 bytes of input keying material of RFC 8188 section 2.1. */
  key: base64urlSchema(22),
});

export const contentSchema = z.strictObject({
  v: z.literal(1),
  kind: z.enum(['message', 'alert']),
  subject: z.string().min(1).max(300),
  body: z.string().max(100_000),
  /** Short facts shown as a table, for example alert labels. */
  facts: z.array(z.strictObject({ name: z.string().min(1).max(200), value: z.string().max(2000) })).max(100),
  attachments: z.array(attachmentSchema).max(16),
  /** Whether the sender asks for an explicit acknowledgement. */
  acknowledge: z.boolean(),
  /** 32 random bytes. */
  openingKey: base64urlSchema(43),
});
export type Attachment = z.infer<typeof attachmentSchema>;
export type Content = z.infer<typeof contentSchema>;
