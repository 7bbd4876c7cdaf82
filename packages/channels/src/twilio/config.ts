/**
 * Settings both Twilio adapters share: one account and the API key that sends for it. There is no setting for a Messaging
 * Service, because a pool of senders may carry by SMS what was meant for RCS (Twilio, "Messages resource",
 * MessagingServiceSid and FallbackFrom).
 */
import { z } from 'zod';
import { durationSchema } from '../duration-schema.ts';
import { endpointSchema, secretFileSchema } from '../setting-schema.ts';

export const twilioAccountSettings = {
  base_url: endpointSchema.default('https://api.twilio.com'),
  account_sid: z.string().regex(/^AC[0-9a-fA-F]{32}$/),
  /** An API key rather than the auth token: it can be revoked alone and signs no webhooks (Twilio, "API keys"). */
  api_key_sid: z.string().regex(/^SK[0-9a-fA-F]{32}$/),
  api_key_secret_file: secretFileSchema,
  /** The account's auth token; it keys every webhook signature and is used for nothing else. */
  auth_token_file: secretFileSchema,
  /**
   * Where Twilio reaches this channel's webhook, to the letter as it is reached from outside: signatures cover it, and a
   * proxy hides it from us. Sent with each message as its StatusCallback, and to be set for inbound messages.
   */
  webhook_url: z
    .url({ protocol: /^https?$/ })
    .max(2048)
    .regex(/^[^?#]+$/, 'leave out query and fragment'),
  timeout: durationSchema(100, 120_000).default(10_000),
} as const;

const accountSchema = z.strictObject(twilioAccountSettings);
export type TwilioAccount = z.infer<typeof accountSchema>;
