/**
 * Settings of the `rcs-vonage` adapter: one application of Vonage's Messages API and the RCS sender it speaks for. There is
 * no setting for the `failover` list, by which Vonage itself would carry a message on by SMS.
 */
import { z } from 'zod';
import { durationSchema } from '../duration-schema.ts';
import { buttonTextSchema, endpointSchema, secretFileSchema } from '../setting-schema.ts';

export const rcsVonageSettingsSchema = z.strictObject({
  base_url: endpointSchema.default('https://api.nexmo.com'),
  /** Revocation works only on the server of the agent's region: `api-eu`, `api-us` or `api-ap` ("RCS Message Revocation"). */
  revoke_url: endpointSchema.default('https://api-eu.nexmo.com'),
  application_id: z.uuid(),
  /** The application's RSA private key, PKCS #8 in PEM. */
  private_key_file: secretFileSchema,
  /** The account's signature secret; it keys every webhook's token and nothing else. */
  signature_secret_file: secretFileSchema,
  /** The sender id of the RCS agent (`from`). */
  sender: z.string().min(1).max(256),
  button_text: buttonTextSchema,
  timeout: durationSchema(100, 120_000).default(10_000),
});

export type RcsVonageSettings = z.infer<typeof rcsVonageSettingsSchema>;
