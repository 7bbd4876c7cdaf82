/**
 * Where a zone's things are, by its own configuration: what `sealpost control serve` and its siblings read is all a backup
 * needs to know. A backup takes named keys only; in particular never `agent-…` and `keyring-…`, whose past values are
 * overwritten so that no copy of a database can be opened with them later (DESIGN section 6).
 */
import { dirname, join } from 'node:path';
import { controlConfigSchema } from '@sealpost/control/config';
import { gatewayConfigSchema } from '@sealpost/gateway/config';
import { dispatcherConfigSchema } from '@sealpost/gateway/dispatcher-config';
import { type DatabaseConfig, type KeysConfig, loadConfig } from '@sealpost/platform';
import type { Organisation } from '@sealpost/protocol';
import { entryOf } from '../assets.ts';
import type { Zone } from '../bootstrap/bootstrap.ts';
import type { FileName } from './contents-schema.ts';

export interface Place {
  readonly zone: Zone;
  readonly organisation: Organisation;
  readonly keys: KeysConfig;
  /** Names of the keys a backup of the zone holds. */
  readonly keyNames: readonly string[];
  readonly files: Readonly<Partial<Record<FileName, string>>>;
  /** The dispatcher has none of its own. */
  readonly database?: DatabaseConfig;
  /** Folder with the zone's numbered SQL. */
  readonly migrations?: string;
  /** Folder of the blob store. */
  readonly blobs?: string;
}

/** Throws ERR_CONFIG_…. */
export function readPlace(zone: Zone, configFile: string): Place {
  const config = READERS[zone](configFile);
  const { organisation, keys, trust_file, root_file } = config;
  const files = { trust: trust_file, root: root_file, ...config.files };
  return { zone, organisation, keys, keyNames: KEY_NAMES[zone], files, ...config.data };
}

const KEY_NAMES: Readonly<Record<Zone, readonly string[]>> = {
  control: ['device-ca', 'submit', 'witness', 'inbound', 'token', 'webhooks', 'storage', 'requests'],
  gateway: ['receipts', 'log'],
  dispatcher: ['dispatch'],
};

const READERS = {
  control(file: string) {
    const { service_tls: tls, database, ...config } = loadConfig(controlConfigSchema, file);
    const files = { certificate: tls.cert_file, 'certificate-key': tls.key_file };
    return { ...config, files, data: { database, migrations: migrationsOf('control') } };
  },
  gateway(file: string) {
    const { tls, database, data: blobs, ...config } = loadConfig(gatewayConfigSchema, file);
    const files = { certificate: tls.cert_file, 'certificate-key': tls.key_file, 'certificate-ca': tls.ca_file };
    return { ...config, files, data: { database, blobs, migrations: migrationsOf('gateway') } };
  },
  dispatcher(file: string) {
    const config = loadConfig(dispatcherConfigSchema, file);
    // Its configuration names none: it serves no TLS itself, but bootstrap renews the certificate it was given.
    const tls = join(dirname(config.trust_file), 'tls');
    const files = { certificate: join(tls, 'cert.pem'), 'certificate-key': join(tls, 'key.pem') };
    return { ...config, files: { ...files, 'certificate-ca': join(tls, 'ca.pem') }, data: {} };
  },
} as const;

/** Beside the entry's folder, in a checkout as in a release. */
function migrationsOf(zone: 'control' | 'gateway'): string {
  return join(dirname(dirname(entryOf(zone))), 'sql');
}
