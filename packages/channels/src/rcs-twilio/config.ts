/**
 * Settings of the `rcs-twilio` adapter: one RCS sender of one Twilio account.
 */
import { z } from 'zod';
import { buttonTextSchema, endpointSchema } from '../setting-schema.ts';
import { twilioAccountSettings } from '../twilio/config.ts';

export const rcsTwilioSettingsSchema = z.strictObject({
  ...twilioAccountSettings,
  content_url: endpointSchema.default('https://content.twilio.com'),
  /** The RCS sender without its `rcs:`, for example `acme_incidents_a1b2c3d4_agent`. */
  sender: z.string().regex(/^[A-Za-z0-9_-]{1,256}$/),
  button_text: buttonTextSchema,
});

export type RcsTwilioSettings = z.infer<typeof rcsTwilioSettingsSchema>;
