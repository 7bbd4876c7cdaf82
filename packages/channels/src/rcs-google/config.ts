/**
 * Settings of the `rcs-google` adapter: one RCS for Business agent and the service account that speaks for it. Secrets
 * are named by file and read through the context, never written here.
 */
import { z } from 'zod';
import { durationSchema } from '../duration-schema.ts';

const file = z.string().min(1).max(4096);
const endpoint = z
  .url({ protocol: /^https?$/ })
  .max(2048)
  .transform((url) => url.replace(/\/+$/, ''));

export const rcsGoogleSettingsSchema = z.strictObject({
  /** Global, or regional: `https://europe-rcsbusinessmessaging.googleapis.com` (Google, "RCS for Business API endpoints"). */
  base_url: endpoint.default('https://rcsbusinessmessaging.googleapis.com'),
  token_url: endpoint.default('https://oauth2.googleapis.com/token'),
  agent_id: z.string().min(1).max(256),
  /** Google's JSON key file of the service account. */
  service_account_file: file,
  /** The client token chosen when the webhook was set up; it keys every webhook signature. */
  client_token_file: file,
  /** What kind of traffic the agent was launched for (AgentMessage.messageTrafficType). */
  traffic_type: z
    .enum(['AUTHENTICATION', 'TRANSACTION', 'PROMOTION', 'SERVICEREQUEST', 'ACKNOWLEDGEMENT'])
    .default('TRANSACTION'),
  /** The label of the button that opens the notice's link (SuggestedAction.text: at most 25 characters). */
  button_text: z.string().min(1).max(25).default('Open'),
  timeout: durationSchema(100, 120_000).default(10_000),
});

export type RcsGoogleSettings = z.infer<typeof rcsGoogleSettingsSchema>;
