/** Settings of the `webpush` adapter: the application server's own VAPID identity (RFC 8292), the same for every push service. */
import { z } from 'zod';
import { durationSchema } from '../duration-schema.ts';
import { secretFileSchema } from '../setting-schema.ts';

export const webpushSettingsSchema = z.strictObject({
  /** Whom a push service may write to about our requests (RFC 8292 section 2.1). */
  subject: z
    .string()
    .regex(/^(mailto:[^\s@]+@[^\s@]+|https:\/\/\S+)$/)
    .max(256)
    .refine((written) => URL.canParse(written), 'use a mailto: or https: address'),
  /** The key browsers subscribed with: an uncompressed point of P-256 as base64url (RFC 8292 section 3.2). */
  public_key: z.string().regex(/^B[A-Za-z0-9_-]{86}$/),
  /** The 32 bytes of its private half as base64url. */
  private_key_file: secretFileSchema,
  /** Lets a subscription name an endpoint without TLS; RFC 8030 section 8 requires TLS, so only for a test's push service. */
  unsafe_plaintext: z.boolean().default(false),
  timeout: durationSchema(100, 120_000).default(10_000),
});

export type WebpushSettings = z.infer<typeof webpushSettingsSchema>;
