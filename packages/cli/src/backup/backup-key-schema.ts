/** The two halves of a backup key as files. */
import { base64urlSchema, keyIdSchema } from '@sealpost/protocol';
import { z } from 'zod';

export const recipientSchema = z.strictObject({
  format: z.literal('sealpost-backup-recipient/1'),
  id: keyIdSchema,
  /** Uncompressed point of P-256. */
  publicKey: base64urlSchema(87),
});
export type Recipient = z.infer<typeof recipientSchema>;

const coordinate = base64urlSchema(43);

export const privateKeyFileSchema = z.strictObject({
  format: z.literal('sealpost-backup-key/1'),
  jwk: z.strictObject({ kty: z.literal('EC'), crv: z.literal('P-256'), x: coordinate, y: coordinate, d: coordinate }),
});
