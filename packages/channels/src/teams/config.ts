/**
 * Settings of the `teams` adapter: a bot that speaks through the Bot Connector, or the addresses of Power Automate workflows
 * that post what they are sent.
 */
import { z } from 'zod';
import { durationSchema } from '../duration-schema.ts';
import { endpointSchema, secretFileSchema } from '../setting-schema.ts';

const shared = {
  /** The label of the button that opens a link. */
  button_text: z.string().min(1).max(80).default('Open'),
  timeout: durationSchema(100, 120_000).default(10_000),
};
const hostSchema = z.string().regex(/^[a-z0-9.-]{1,253}$/, 'use a host’s name in lower case');

const botSettingsSchema = z.strictObject({
  ...shared,
  mode: z.literal('bot'),
  /** The bot's app registration in Entra ID; single-tenant. */
  app_id: z.guid().transform((id) => id.toLowerCase()),
  tenant_id: z.guid().transform((id) => id.toLowerCase()),
  client_secret_file: secretFileSchema,
  /** Everything is sent here and nowhere else; the clouds of governments have their own. */
  base_url: endpointSchema.default('https://smba.trafficmanager.net/teams'),
  login_url: endpointSchema.default('https://login.microsoftonline.com'),
  /** Where the keys of the Bot Connector are named that inbound activities are signed with. */
  openid_url: endpointSchema.default('https://login.botframework.com/v1/.well-known/openidconfiguration'),
  /** Hosts an inbound activity may name as its `serviceUrl`. */
  service_hosts: z.array(hostSchema).min(1).default(['smba.trafficmanager.net']),
});

const workflowSettingsSchema = z.strictObject({
  ...shared,
  mode: z.literal('workflows'),
  /** By the name used as an address, the file that holds the workflow's URL. Whoever knows that URL can post: it is the credential. */
  url_files: z.record(z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/), secretFileSchema),
});

export const teamsSettingsSchema = z.discriminatedUnion('mode', [botSettingsSchema, workflowSettingsSchema]);

export type TeamsBotSettings = z.infer<typeof botSettingsSchema>;
export type TeamsWorkflowSettings = z.infer<typeof workflowSettingsSchema>;
export type TeamsSettings = z.infer<typeof teamsSettingsSchema>;
