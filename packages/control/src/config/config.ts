/**
 * The configuration of control: one YAML file, unknown keys fatal, secrets only as paths to files. The `.describe()` texts
 * are the reference page. What weakens something starts with `unsafe` and is logged at each start.
 */
import { databaseConfigSchema, keysConfigSchema, LEVELS } from '@sealpost/platform';
import { organisationSchema } from '@sealpost/protocol';
import { z } from 'zod';

const httpUrl = z.url({ protocol: /^https?$/ }).max(2048);
const LOOPBACK = ['127.0.0.1', '::1', 'localhost'];

const tlsFiles = (certificate: string) =>
  z.strictObject({
    cert_file: z.string().describe(`PEM file with ${certificate}, leaf first, then what issued it.`),
    key_file: z.string().describe('PEM file with its private key.'),
  });

const origin = z
  .url({ protocol: /^https?$/ })
  .max(300)
  .refine((url) => new URL(url).origin === url, { message: 'name an origin: scheme, host and port, without a path' });

/** A page for people, on an origin of its own. */
const pageSchema = (whose: string) =>
  z.strictObject({
    listen: z
      .strictObject({
        host: z.string().min(1).max(253).describe('Address to listen on.'),
        port: z.int().min(0).max(65535).describe('Port to listen on; 0 takes any free one.'),
      })
      .describe(`Where ${whose} is served.`),
    pages: z.string().describe('Folder of the built page.'),
    tls: tlsFiles('the server certificate')
      .optional()
      .describe('TLS of this listener. May be left out only on a loopback address.'),
    unsafe_framed_by: z
      .array(origin)
      .max(10)
      .default([])
      .describe('Origins that may show the page in a frame, and so lay something over it; meant for the demo only.'),
  });

export const controlConfigSchema = z
  .strictObject({
    organisation: organisationSchema.describe('Domain name of the organisation; must be the one the trust file names.'),
    database: databaseConfigSchema.describe('PostgreSQL of control; never the gateway’s.'),
    listen: z
      .strictObject({
        host: z.string().min(1).max(253).describe('Address to listen on.'),
        port: z.int().min(0).max(65535).describe('Port to listen on; 0 takes any free one.'),
      })
      .describe('Where applications, alert senders, operators and enrolling devices reach control.'),
    public_url: httpUrl.describe(
      'How they address it from outside; part of what a client assertion may name as audience.',
    ),
    tls: tlsFiles('the server certificate')
      .optional()
      .describe('TLS of this listener. May be left out only on a loopback address.'),
    unsafe_plain_http: z
      .boolean()
      .default(false)
      .describe('Serve plain HTTP on an address that is not loopback, for example behind a proxy that ends TLS.'),
    gateway: z
      .strictObject({
        url: z
          .url({ protocol: /^https$/ })
          .max(2048)
          .describe('Internal listener of the gateway (mutual TLS 1.3).'),
        device_url: httpUrl.describe('Device listener of the gateway, as devices are told at enrollment.'),
      })
      .describe('The gateway this control submits to.'),
    inbox: pageSchema('the inbox').optional().describe('The inbox for browsers; not served unless named.'),
    console: pageSchema('the console').optional().describe('The operators’ console; not served unless named.'),
    unsafe_subscriber_hosts: z
      .array(z.string().min(1).max(260))
      .max(100)
      .default([])
      .describe('Hosts (`host` or `host:port`) subscriptions may lead to although private, and over plain HTTP.'),
    service_tls: tlsFiles('control’s service certificate').describe('Client certificate shown to the gateway.'),
    trust_file: z.string().describe('Trust file (JWS) made by bootstrap.'),
    root_file: z.string().describe('Pinned root certificate of the organisation, PEM.'),
    keys: keysConfigSchema.describe('Keys of this zone.'),
    log_level: z.enum(LEVELS).default('info').describe('Least level that is written.'),
  })
  .check((context) => {
    const { inbox, console, unsafe_plain_http } = context.value;
    for (const [name, page] of Object.entries({ inbox, console })) {
      if (page === undefined || page.tls !== undefined || unsafe_plain_http) continue;
      if (LOOPBACK.includes(page.listen.host)) continue;
      context.issues.push({
        code: 'custom',
        input: context.value,
        path: [name, 'tls'],
        message: 'needed where listen.host is not loopback (or say unsafe_plain_http: true)',
      });
    }
  })
  .refine((config) => config.tls !== undefined || config.unsafe_plain_http || LOOPBACK.includes(config.listen.host), {
    path: ['tls'],
    message: 'needed where listen.host is not loopback (or say unsafe_plain_http: true)',
  });

/** As people write it. */
export type ControlConfigFile = z.input<typeof controlConfigSchema>;
/** As the code reads it. */
export type ControlConfig = z.output<typeof controlConfigSchema>;
/** Inbox or console. */
export type PageConfig = NonNullable<ControlConfig['inbox']>;
