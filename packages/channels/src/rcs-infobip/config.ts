/**
 * Settings of the `rcs-infobip` adapter: one RCS sender of one Infobip account. There is no setting for Infobip's SMS or
 * MMS failover (`smsFailover`, `mmsFailover`): a message for RCS is carried by RCS or not at all.
 */
import { z } from 'zod';
import { durationSchema } from '../duration-schema.ts';
import { buttonTextSchema, endpointSchema, secretFileSchema } from '../setting-schema.ts';

export const rcsInfobipSettingsSchema = z.strictObject({
  /** The account's own host, for example `https://x1y2z.api.infobip.com` (Infobip, "Base URL"). */
  base_url: endpointSchema,
  sender: z.string().min(1).max(256),
  /** An API key, sent as `Authorization: App …`. */
  api_key_file: secretFileSchema,
  /** `name:password` as set in the webhook's Basic authentication at Infobip, which signs nothing. */
  webhook_credentials_file: secretFileSchema,
  button_text: buttonTextSchema,
  timeout: durationSchema(100, 120_000).default(10_000),
});

export type RcsInfobipSettings = z.infer<typeof rcsInfobipSettingsSchema>;
