/**
 * What each service of a start is told: its configuration, written anew at each start into the run folder, its own
 * database role, keys and certificate, and nothing of another zone's.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeDurably } from '@sealpost/platform';
import { utf8 } from '@sealpost/protocol';
import { createServiceAccount } from '@sealpost/simulator';
import { stringify } from 'yaml';
import { entryOf, type ServiceName } from '../assets.ts';
import { createDatabase, createGuest, type PostgresAdmin } from '../postgres/index.ts';
import type { ServiceSpec } from './children.ts';
import type { DataFolder } from './data-folder.ts';
import { type DatabasePlace, databaseOf } from './database-place.ts';
import type { Ports } from './ports.ts';

const HOST = '127.0.0.1';
/** Demo identities of the simulated providers; real ones are in the dispatcher's own configuration. */
const RBM_AGENT = 'acme-incidents';
const SMSC_SYSTEM = 'sealpost';

/** Gives each zone its role and database; the dispatcher gets a role of its own in the gateway's database. */
export async function prepareDatabases(postgres: PostgresAdmin, folder: DataFolder): Promise<void> {
  await createDatabase(postgres, {
    database: 'sealpost_control',
    role: 'sealpost_control',
    password: passwordOf(folder, 'control'),
  });
  await createDatabase(postgres, {
    database: 'sealpost_gateway',
    role: 'sealpost_gateway',
    password: passwordOf(folder, 'gateway'),
  });
  await createGuest(postgres, {
    database: 'sealpost_gateway',
    role: 'sealpost_dispatcher',
    password: passwordOf(folder, 'dispatcher'),
  });
}

/** Writes the configurations and answers what to start, in the order they depend on each other. */
export function writeServiceConfigs(options: {
  folder: DataFolder;
  ports: Ports;
  organisation: string;
  database: DatabasePlace;
  /** Folder of the built pages. */
  pages: string;
  logLevel: string;
}): Record<ServiceName, ServiceSpec> {
  const { folder, ports, organisation, logLevel } = options;
  const zone = (name: 'control' | 'gateway' | 'dispatcher') => folder.zone(name);
  const origins = originsOf(ports);
  const page = (name: 'inbox' | 'console') => ({
    listen: { host: HOST, port: ports[name] },
    pages: join(options.pages, name),
    unsafe_framed_by: [origins.frame],
  });
  const database = (name: 'control' | 'gateway' | 'dispatcher') => ({
    ...databaseOf(options.database, `sealpost_${name}`, name === 'control' ? 'sealpost_control' : 'sealpost_gateway'),
    password_file: join(zone(name), 'database-password'),
  });
  const trust = (name: 'control' | 'gateway' | 'dispatcher') => ({
    trust_file: join(zone(name), 'trust.jws'),
    root_file: join(zone(name), 'root.pem'),
    keys: { folder: join(zone(name), 'keys'), kek_file: join(zone(name), 'kek') },
  });
  const tls = (name: 'control' | 'gateway') => ({
    cert_file: join(zone(name), 'tls/cert.pem'),
    key_file: join(zone(name), 'tls/key.pem'),
  });
  const carriers = prepareCarrierSecrets(folder);
  const configs: Record<ServiceName, Record<string, unknown>> = {
    gateway: {
      organisation,
      data: zone('gateway'),
      database: database('gateway'),
      listen: { device: { host: HOST, port: ports.devices }, internal: { host: HOST, port: ports.internal } },
      public_url: `http://${HOST}:${ports.devices}`,
      browser_origins: [origins.inbox],
      tls: { ...tls('gateway'), ca_file: join(zone('gateway'), 'tls/ca.pem') },
      ...trust('gateway'),
      log_level: logLevel,
    },
    control: {
      organisation,
      database: database('control'),
      listen: { host: HOST, port: ports.control },
      public_url: `http://${HOST}:${ports.control}`,
      gateway: { url: `https://${HOST}:${ports.internal}`, device_url: `http://${HOST}:${ports.devices}` },
      inbox: page('inbox'),
      console: page('console'),
      service_tls: tls('control'),
      ...trust('control'),
      log_level: logLevel,
    },
    dispatcher: {
      organisation,
      database: database('dispatcher'),
      listen: { host: HOST, port: ports.webhooks },
      ...trust('dispatcher'),
      vendors: {
        'rcs-main': {
          adapter: 'rcs-google',
          unsafe_private_hosts: [`${HOST}:${ports.simulator}`],
          base_url: `http://${HOST}:${ports.simulator}`,
          token_url: `http://${HOST}:${ports.simulator}/token`,
          agent_id: RBM_AGENT,
          service_account_file: carriers.serviceAccount,
          client_token_file: carriers.dispatcherToken,
        },
        'sms-main': {
          adapter: 'sms-smpp',
          host: HOST,
          port: ports.smsc,
          system_id: SMSC_SYSTEM,
          password_file: carriers.dispatcherSmsc,
          source_address: 'ACME',
        },
      },
      log_level: logLevel,
    },
    simulator: {
      host: HOST,
      pages: { folder: options.pages, inbox: origins.inbox, console: origins.console },
      monitoring: { url: `http://${HOST}:${ports.control}/v1/alerts`, secret_file: monitoringSecret(folder) },
      http_port: ports.simulator,
      smsc_port: ports.smsc,
      rbm: {
        agent_id: RBM_AGENT,
        service_account_public_key_file: carriers.publicKey,
        client_token_file: carriers.simulatorToken,
        webhook_url: `http://${HOST}:${ports.webhooks}/webhooks/rcs-main`,
      },
      smsc: { system_id: SMSC_SYSTEM, password_file: carriers.simulatorSmsc },
    },
  };
  const spec = (name: ServiceName): ServiceSpec => {
    const config = join(folder.zone('run'), `${name}.yaml`);
    writeDurably(
      config,
      utf8(
        `# Written by sealpost start at each start. For a deployment of your own: sealpost config init ${name}\n${stringify(configs[name])}`,
      ),
    );
    return { name, entry: entryOf(name), config };
  };
  return {
    gateway: spec('gateway'),
    control: spec('control'),
    dispatcher: spec('dispatcher'),
    simulator: spec('simulator'),
  };
}

/** Where the simulated monitoring system keeps its alert sender's secret, once there is one. */
export function monitoringSecret(folder: DataFolder): string {
  return join(folder.zone('simulator'), 'alert-sender-secret');
}

/** Where the pages are: each has an origin of its own, and the frame is the simulator's. */
export function originsOf(ports: Ports): Readonly<Record<'frame' | 'inbox' | 'console', string>> {
  const at = (port: number) => `http://${HOST}:${port}`;
  return { frame: at(ports.simulator), inbox: at(ports.inbox), console: at(ports.console) };
}

function passwordOf(folder: DataFolder, zone: 'control' | 'gateway' | 'dispatcher'): string {
  return secretFile(join(folder.zone(zone), 'database-password'), () => randomBytes(24).toString('base64url'));
}

/** The secrets the dispatcher shares with the simulated providers; each side has its own copy. */
function prepareCarrierSecrets(folder: DataFolder) {
  const [dispatcher, simulator] = [join(folder.zone('dispatcher'), 'providers'), folder.zone('simulator')];
  const paths = {
    serviceAccount: join(dispatcher, 'rcs-service-account.json'),
    publicKey: join(simulator, 'rcs-service-account.pem'),
    dispatcherToken: join(dispatcher, 'rcs-client-token'),
    simulatorToken: join(simulator, 'rcs-client-token'),
    dispatcherSmsc: join(dispatcher, 'smsc-password'),
    simulatorSmsc: join(simulator, 'smsc-password'),
  };
  if (!existsSync(paths.serviceAccount)) {
    const account = createServiceAccount();
    writeDurably(paths.publicKey, utf8(account.publicKeyPem));
    writeDurably(paths.serviceAccount, utf8(account.serviceAccountJson));
  }
  const token = secretFile(paths.dispatcherToken, () => randomBytes(24).toString('base64url'));
  writeDurably(paths.simulatorToken, utf8(token));
  // SMPP 3.4 section 5.2.2: a password has at most eight characters.
  const smsc = secretFile(paths.dispatcherSmsc, () => randomBytes(6).toString('base64url'));
  writeDurably(paths.simulatorSmsc, utf8(smsc));
  return paths;
}

function secretFile(path: string, make: () => string): string {
  if (!existsSync(path)) writeDurably(path, utf8(make()));
  return readFileSync(path, 'utf8');
}
