/**
 * Settings of the `sms-twilio` adapter: one sender of one Twilio account.
 */
import { z } from 'zod';
import { twilioAccountSettings } from '../twilio/config.ts';

export const smsTwilioSettingsSchema = z.strictObject({
  ...twilioAccountSettings,
  /** A Twilio number (E.164), a short code, or an alphanumeric sender, which nobody can answer. */
  sender: z.string().regex(/^(\+[1-9]\d{4,14}|\d{3,8}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11})$/, 'use a number or a name'),
});

export type SmsTwilioSettings = z.infer<typeof smsTwilioSettingsSchema>;
