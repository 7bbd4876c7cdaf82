/** Settings of the `imessage` adapter: one BlueBubbles server on a Mac of ours, and the secrets between us. */
import { z } from 'zod';
import { durationSchema } from '../duration-schema.ts';
import { endpointSchema, secretFileSchema } from '../setting-schema.ts';

export const imessageSettingsSchema = z.strictObject({
  base_url: endpointSchema,
  /** BlueBubbles takes its password in the query of every request and nowhere else, so it must be kept out of proxies' logs. */
  password_file: secretFileSchema,
  /** BlueBubbles signs nothing: the webhook is registered there with `?token=` and this secret. */
  webhook_token_file: secretFileSchema,
  method: z.enum(['apple-script', 'private-api']).default('apple-script'),
  /** AppleScript waits for Messages to write the message down, which takes seconds. */
  timeout: durationSchema(100, 120_000).default(30_000),
});

export type ImessageSettings = z.infer<typeof imessageSettingsSchema>;
