/** Settings of the `imessage-business` adapter: one business account, reached as the messaging service provider (MSP) it has. */
import { z } from 'zod';
import { durationSchema } from '../duration-schema.ts';
import { endpointSchema, secretFileSchema } from '../setting-schema.ts';

const idSchema = z.string().regex(/^[A-Za-z0-9-]{1,64}$/);

export const imessageBusinessSettingsSchema = z.strictObject({
  base_url: endpointSchema.default('https://mspgw.push.apple.com/v1'),
  /** The MSP's own id in Apple Business Register: issuer of our tokens, audience of Apple's. */
  msp_id: idSchema,
  business_id: idSchema,
  /** The MSP's API secret as Apple shows it, in base64. It signs both ways. */
  secret_file: secretFileSchema,
  /** `written` for people on systems that show no quick replies and no lists (before iOS 15.1, macOS 12). */
  suggestions: z.enum(['interactive', 'written']).default('interactive'),
  timeout: durationSchema(100, 120_000).default(10_000),
});

export type ImessageBusinessSettings = z.infer<typeof imessageBusinessSettingsSchema>;
