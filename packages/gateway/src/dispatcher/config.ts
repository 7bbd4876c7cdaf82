/** The dispatcher's configuration file: which provider account stands behind each channel, and the keys it opens with. */
import { databaseConfigSchema, keysConfigSchema, LEVELS } from '@sealpost/platform';
import { channelNameSchema, organisationSchema } from '@sealpost/protocol';
import { z } from 'zod';

export const dispatcherConfigSchema = z.strictObject({
  organisation: organisationSchema.describe('Domain name of the organisation; must be that of the trust file.'),
  database: databaseConfigSchema.describe('The gateway’s database, by the dispatcher’s own role.'),
  listen: z
    .strictObject({
      host: z.string().describe('Address the webhook listener binds to.'),
      port: z.int().min(0).max(65_535).describe('Port; 0 takes a free one.'),
    })
    .describe('Where providers’ webhooks arrive; put TLS in front of it.'),
  trust_file: z.string().describe('The trust file, signed by the organisation root.'),
  root_file: z.string().describe('The pinned root certificate, PEM or DER.'),
  keys: keysConfigSchema.describe('The dispatcher’s key `dispatch`, which opens carrier forms.'),
  channels: z
    .record(channelNameSchema, z.looseObject({ adapter: z.enum(['rcs-google', 'sms-smpp']).describe('The adapter.') }))
    .describe('Settings of each channel by its name: `adapter` and what that adapter takes (docs/channels.md).'),
  concurrency: z.int().min(1).max(1000).default(16).describe('Attempts under way at once.'),
  log_level: z.enum(LEVELS).default('info').describe('Least level that is logged.'),
});
export type DispatcherConfig = z.output<typeof dispatcherConfigSchema>;
