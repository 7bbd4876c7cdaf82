/**
 * The simulator's own configuration file (YAML or JSON): the options of `startSimulator`, with secrets named by file.
 * Paths are relative to the file that names them.
 */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import type { SimulatorOptions } from './simulator.ts';
import { ID_DIALECTS } from './smsc/message-ids.ts';

const port = z.int().min(0).max(65_535);
const file = z.string().min(1).max(4096);

const configFileSchema = z.strictObject({
  http_port: port,
  smsc_port: port,
  rbm_port: port.optional(),
  host: z.string().min(1).max(253).default('127.0.0.1'),
  rbm: z.strictObject({
    agent_id: z.string().min(1).max(256),
    service_account_public_key_file: file,
    client_token_file: file,
    webhook_url: z.url({ protocol: /^https?$/ }).optional(),
  }),
  /** The demo's pages: where they were built, and the origins shown beside the phone. */
  pages: z
    .strictObject({ folder: file, inbox: z.url({ protocol: /^https?$/ }), console: z.url({ protocol: /^https?$/ }) })
    .optional(),
  /** The monitoring system: control's address for webhooks, and its alert sender's secret. */
  monitoring: z.strictObject({ url: z.url({ protocol: /^https?$/ }), secret_file: file }).optional(),
  smsc: z.strictObject({
    system_id: z.string().min(1).max(15),
    password_file: file,
    id_dialect: z.enum(ID_DIALECTS).default('same'),
  }),
});

/** Throws when the file is missing or not in this form. */
export async function readConfig(path: string): Promise<Omit<SimulatorOptions, 'now' | 'random'>> {
  const config = configFileSchema.parse(parse(await readFile(path, 'utf8')));
  const read = async (name: string): Promise<string> =>
    (await readFile(resolve(dirname(path), name), 'utf8')).replace(/\r?\n$/, '');
  return {
    httpPort: config.http_port,
    smscPort: config.smsc_port,
    rbmPort: config.rbm_port,
    host: config.host,
    rbm: {
      agentId: config.rbm.agent_id,
      serviceAccountPublicKeyPem: await read(config.rbm.service_account_public_key_file),
      clientToken: await read(config.rbm.client_token_file),
      webhookUrl: config.rbm.webhook_url,
    },
    ...(config.pages === undefined
      ? {}
      : { pages: { ...config.pages, folder: resolve(dirname(path), config.pages.folder) } }),
    ...(config.monitoring === undefined
      ? {}
      : {
          monitoring: {
            url: config.monitoring.url,
            secretFile: resolve(dirname(path), config.monitoring.secret_file),
          },
        }),
    smsc: {
      systemId: config.smsc.system_id,
      password: await read(config.smsc.password_file),
      idDialect: config.smsc.id_dialect,
    },
  };
}
