/**
 * Settings of the `rcs-sinch` adapter: one app of one Sinch project. There is no setting for further channels of the
 * person: `channel_priority_order` and a second channel identity would let Sinch carry the message by SMS.
 */
import { z } from 'zod';
import { durationSchema } from '../duration-schema.ts';
import { buttonTextSchema, endpointSchema, secretFileSchema } from '../setting-schema.ts';

const name = z.string().regex(/^[A-Za-z0-9-]{1,64}$/);

export const rcsSinchSettingsSchema = z.strictObject({
  /** The region the app and its RCS agent live in: `us`, `eu` or `br`; in another one the channel reports errors. */
  base_url: endpointSchema.default('https://eu.conversation.api.sinch.com'),
  token_url: endpointSchema.default('https://auth.sinch.com/oauth2/token'),
  project_id: name,
  app_id: name,
  /** The access key that asks for tokens, and its secret. */
  key_id: name,
  key_secret_file: secretFileSchema,
  /** The secret given when the app's webhook was set up; it keys every webhook signature. */
  webhook_secret_file: secretFileSchema,
  button_text: buttonTextSchema,
  timeout: durationSchema(100, 120_000).default(10_000),
});

export type RcsSinchSettings = z.infer<typeof rcsSinchSettingsSchema>;
