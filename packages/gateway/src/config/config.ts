/**
 * The gateway's configuration file. Every option is described here and nowhere else; unknown keys are fatal, secrets are
 * paths. What weakens a guarantee starts with `unsafe` and is logged at each start.
 */
import { databaseConfigSchema, keysConfigSchema, LEVELS } from '@sealpost/platform';
import { organisationSchema } from '@sealpost/protocol';
import { z } from 'zod';

const LOOPBACK = ['127.0.0.1', '::1', 'localhost'];

const address = (what: string) =>
  z.strictObject({
    host: z.string().describe(`Address the ${what} listener binds to.`),
    port: z.int().min(0).max(65_535).describe('Port; 0 takes a free one.'),
  });

const certificate = {
  cert_file: z.string().describe('PEM file with the certificate, then the intermediates up to the root’s child.'),
  key_file: z.string().describe('PEM file with the certificate’s private key.'),
};

export const gatewayConfigSchema = z
  .strictObject({
    organisation: organisationSchema.describe('Domain name of the organisation; must be that of the trust file.'),
    data: z.string().describe('Folder for sealed blobs.'),
    database: databaseConfigSchema.describe('The gateway’s own database.'),
    listen: z
      .strictObject({
        device: address('device').describe('Where devices connect.'),
        internal: address('internal').describe('Where control connects, over mutual TLS 1.3.'),
      })
      .describe('The two listeners.'),
    public_url: z
      .url({ protocol: /^https?$/ })
      .describe('URL under which devices reach the device listener; their request signatures cover it.'),
    trust_file: z.string().describe('The trust file, signed by the organisation root.'),
    root_file: z.string().describe('The pinned root certificate, PEM or DER; the trust file must verify against it.'),
    tls: z
      .strictObject({
        ...certificate,
        ca_file: z.string().describe('PEM file with the service CA and the root: who may connect internally.'),
      })
      .describe('Certificate of the internal listener.'),
    tls_device: z
      .strictObject(certificate)
      .optional()
      .describe('Certificate of the device listener; needed unless it listens on a loopback address.'),
    browser_origins: z
      .array(z.url({ protocol: /^https?$/ }).max(300))
      .max(10)
      .default([])
      .describe(
        'Origins whose pages may call the device listener: that of the inbox. Devices sign each request either way.',
      ),
    unsafe_plain_http: z
      .boolean()
      .default(false)
      .describe('Serve the device listener without TLS on any address, as behind a proxy on another host.'),
    keys: keysConfigSchema.describe('The gateway’s keys: `receipts` and `log`, both Ed25519.'),
    log_level: z.enum(LEVELS).default('info').describe('Least level that is logged.'),
  })
  .check((context) => {
    const { listen, tls_device, unsafe_plain_http } = context.value;
    if (tls_device !== undefined || unsafe_plain_http || LOOPBACK.includes(listen.device.host)) return;
    context.issues.push({
      code: 'custom',
      input: context.value,
      path: ['listen', 'device', 'host'],
      message: 'needs tls_device, or a loopback address',
    });
  });
export type GatewayConfig = z.output<typeof gatewayConfigSchema>;
