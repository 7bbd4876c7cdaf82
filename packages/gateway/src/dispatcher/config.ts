/** The dispatcher's configuration file: the provider accounts it speaks to, and the keys it opens with. */
import { databaseConfigSchema, keysConfigSchema, LEVELS } from '@sealpost/platform';
import { ADAPTERS, organisationSchema, vendorNameSchema } from '@sealpost/protocol';
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
  vendors: z
    .record(
      vendorNameSchema,
      z.looseObject({
        adapter: z.enum(ADAPTERS).exclude(['app']).describe('The adapter.'),
        unsafe_private_hosts: z
          .array(z.string().min(1).max(260))
          .max(20)
          .default([])
          .describe('Hosts, or `host:port`, this vendor’s settings may lead to although their address is private.'),
      }),
    )
    .describe(
      'Provider accounts by the name a channel’s manifest gives them: `adapter` and what that adapter takes (docs/channels.md).',
    ),
  concurrency: z.int().min(1).max(1000).default(16).describe('Attempts under way at once.'),
  log_level: z.enum(LEVELS).default('info').describe('Least level that is logged.'),
});
export type DispatcherConfig = z.output<typeof dispatcherConfigSchema>;
