/** Settings of the `whatsapp-cloud` adapter: one business phone number on Meta's Cloud API. */
import { z } from 'zod';
import { durationSchema } from '../duration-schema.ts';
import { endpointSchema, secretFileSchema } from '../setting-schema.ts';

export const whatsappCloudSettingsSchema = z.strictObject({
  /** With the version of the Graph API. */
  base_url: endpointSchema.default('https://graph.facebook.com/v23.0'),
  phone_number_id: z.string().regex(/^\d{5,32}$/),
  access_token_file: secretFileSchema,
  /** The app's secret; it keys every webhook signature and is used for nothing else. */
  app_secret_file: secretFileSchema,
  /** The verify token chosen when the webhook was set up. */
  verify_token_file: secretFileSchema,
  /**
   * An approved template with two parameters in its body, text and link, by which notices and split links are sent.
   * Outside 24 hours of the person's last message nothing but a template reaches them, so without one they fail there.
   */
  notice_template: z
    .strictObject({
      name: z.string().regex(/^[a-z0-9_]{1,512}$/),
      language: z.string().regex(/^[a-z]{2,3}(_[A-Z]{2})?$/),
    })
    .optional(),
  /** The label of the button that opens a link (interactive `cta_url`: at most 20 characters). */
  button_text: z.string().min(1).max(20).default('Open'),
  timeout: durationSchema(100, 120_000).default(10_000),
});

export type WhatsappCloudSettings = z.infer<typeof whatsappCloudSettingsSchema>;
