/** Settings of the `slack` adapter: one Slack app in one workspace, and the bot token that speaks for it. */
import { z } from 'zod';
import { durationSchema } from '../duration-schema.ts';
import { endpointSchema, secretFileSchema } from '../setting-schema.ts';

export const slackSettingsSchema = z.strictObject({
  base_url: endpointSchema.default('https://slack.com/api'),
  /** Events of other workspaces the app is installed in are signed with the same secret, and are not ours. */
  team_id: z.string().regex(/^[TE][A-Z0-9]{5,32}$/),
  /** Scopes: `chat:write`, `im:write`, `files:write`, `im:history`. */
  bot_token_file: secretFileSchema,
  signing_secret_file: secretFileSchema,
  /** The label of the button that opens a link (button text: at most 75 characters). */
  button_text: z.string().min(1).max(75).default('Open'),
  timeout: durationSchema(100, 120_000).default(10_000),
});

export type SlackSettings = z.infer<typeof slackSettingsSchema>;
