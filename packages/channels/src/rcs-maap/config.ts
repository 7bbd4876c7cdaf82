/**
 * Settings of the `rcs-maap` adapter: one chatbot on an operator's Messaging as a Platform, in the profile of GSMA FNW.11.
 * How a token is issued is each operator's own affair, so it is read from a file that something else may keep fresh.
 */
import { z } from 'zod';
import { durationSchema } from '../duration-schema.ts';
import { buttonTextSchema, endpointSchema, secretFileSchema } from '../setting-schema.ts';

export const rcsMaapSettingsSchema = z.strictObject({
  /** Up to and including the version: `https://maap.operator.example/bot/v1`. */
  base_url: endpointSchema,
  bot_id: z.string().min(1).max(256),
  access_token_file: secretFileSchema,
  /** What the operator was given to send back as `Authorization: Bearer`; FNW.11 signs nothing. */
  webhook_token_file: secretFileSchema,
  button_text: buttonTextSchema,
  timeout: durationSchema(100, 120_000).default(10_000),
});

export type RcsMaapSettings = z.infer<typeof rcsMaapSettingsSchema>;
