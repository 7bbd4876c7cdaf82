/**
 * Composition root of the gateway's server: the one file that sees every module. Builds them from left to right, puts
 * their routes on the two listeners, starts what runs in the background, and takes all of it down in the other order.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import cors from '@fastify/cors';
import {
  createServer,
  type Database,
  type Logger,
  migrate,
  openDatabase,
  openKeyStore,
  type RunningService,
  type Server,
  type ServerTls,
  type Surroundings,
  systemSurroundings,
} from '@sealpost/platform';
import type { Trust } from '@sealpost/protocol';
import type { GatewayConfig } from './config/config.ts';
import { type GatewayKeys, openKeys, readTrust } from './config/trust.ts';
import { deviceScope } from './http/device-auth.ts';
import { requireService } from './http/service-auth.ts';
import { createBlobs, openDiskStore, registerBlobDeviceRoutes, registerBlobRoutes } from './modules/blobs/index.ts';
import { createBundles, registerBundleRoutes } from './modules/bundle/index.ts';
import { createDelivery, registerDeliveryRoutes, registerRevocationRoutes } from './modules/delivery/index.ts';
import { createDirectory, registerDirectoryRoutes } from './modules/directory/index.ts';
import {
  createEnvelopes,
  createGroupCommit,
  createLookups,
  registerEnvelopeRoutes,
} from './modules/envelopes/index.ts';
import { createGroups, registerGroupRoutes, registerKeyPackageRoutes } from './modules/groups/index.ts';
import { createInbound, registerInboundRoutes } from './modules/inbound/index.ts';
import { createLog, registerLogRoutes, registerPublicLogRoutes } from './modules/log/index.ts';
import { createRouter, createVendorSwitch, registerRoutingRoutes } from './modules/routing/index.ts';
import { createSync } from './modules/sync/index.ts';
import { createBus } from './platform/bus.ts';

export interface RunningGateway extends RunningService {
  readonly ports: { readonly device: number; readonly internal: number };
}

export interface GatewayOptions {
  readonly logger: Logger;
  readonly surroundings?: Surroundings;
}

const VERSION = '0.1.0';
const SQL_FOLDER = join(import.meta.dirname, '../sql');
const DEVICE_BODY_LIMIT = 5_000_000;
const INTERNAL_BODY_LIMIT = 8_500_000;

/** Throws SealpostError when configuration, trust, keys or database do not let it start; then nothing is left running. */
export async function startGateway(config: GatewayConfig, options: GatewayOptions): Promise<RunningGateway> {
  const trust = await readTrust(config);
  const keys = await openKeys(openKeyStore(config.keys), trust);
  const database = await openMigrated(config, options.logger);
  const closing: (() => unknown)[] = [() => database.close()];
  try {
    return await run({ config, trust, keys, database, closing, ...options });
  } catch (cause) {
    await closeAll(closing);
    throw cause;
  }
}

interface Parts extends GatewayOptions {
  readonly config: GatewayConfig;
  readonly trust: Trust;
  readonly keys: GatewayKeys;
  readonly database: Database;
  /** What to take down, in the order it was put up. */
  readonly closing: (() => unknown)[];
}

async function run({ config, trust, keys, database, closing, logger, ...rest }: Parts): Promise<RunningGateway> {
  const surroundings = rest.surroundings ?? systemSurroundings();
  const bus = createBus({ database, logger });
  const log = createLog({
    database,
    bus,
    logger,
    surroundings,
    signer: keys.logSigner,
    logKey: trust.gateway.log,
    verifier: keys.logKey,
    witness: keys.witness,
  });
  const bundles = createBundles({ database, log, bus, trust, surroundings });
  const directory = createDirectory({ database, surroundings, trust, log, bus });
  const groups = createGroups({ database, surroundings, trust, log, bus, directory });
  const store = await openDiskStore(config.data, surroundings);
  const blobs = createBlobs({ database, surroundings, store, groups });
  const { organisation } = trust;
  const flowAt = bundles.flowAt;
  const running = () => bundles.current()?.bundle;
  const delivery = createDelivery({
    database,
    bus,
    logger,
    surroundings,
    organisation,
    log,
    groups,
    directory,
    flowAt,
    bundle: running,
    router: createRouter({ surroundings, bundle: running }),
  });
  const groupCommit = createGroupCommit({ database, onCommit: () => bus.hint('lane') });
  const envelopes = createEnvelopes({
    log,
    bundles,
    lookups: createLookups({ database, groups, directory, blobs }),
    groupCommit,
    trust,
    surroundings,
    receipts: keys.receipts,
    origin: keys.logKey.name,
  });

  const vendors = createVendorSwitch({ database, log, bus, surroundings, bundle: running });
  const inbound = createInbound({ database, bus, logger, surroundings });
  const sync = createSync({ database, surroundings, directory, groups, bus, logger, receipts: delivery });

  const ready = () => readiness(database, () => log.healthy(surroundings.now()));
  const device = await createServer({
    name: 'gateway device interface',
    version: VERSION,
    logger,
    bodyLimit: DEVICE_BODY_LIMIT,
    ready,
    ...(config.tls_device === undefined ? {} : { tls: readTls(config.tls_device) }),
  });
  // Not strict: what is no preflight would be refused in plain text, and errors here are problem documents.
  await device.register(cors, {
    origin: [...config.browser_origins],
    methods: ['GET', 'POST', 'PUT'],
    maxAge: 600,
    strictPreflight: false,
  });
  registerPublicLogRoutes(device, { log });
  await deviceScope(device, { directory, database, surroundings }, (scope, callerOf) => {
    registerKeyPackageRoutes(scope, { groups, callerOf });
    registerBlobDeviceRoutes(scope, { blobs, callerOf });
    registerDeliveryRoutes(scope, { delivery, callerOf });
  });
  sync.attach(device.server);

  const internal = await createServer({
    name: 'gateway internal interface',
    version: VERSION,
    logger,
    bodyLimit: INTERNAL_BODY_LIMIT,
    ready,
    tls: readTls(config.tls),
  });
  requireService(internal, trust, 'control');
  registerBundleRoutes(internal, { bundles });
  registerDirectoryRoutes(internal, { directory });
  registerGroupRoutes(internal, { groups });
  await registerBlobRoutes(internal, { blobs });
  registerEnvelopeRoutes(internal, { envelopes });
  registerLogRoutes(internal, { log });
  registerInboundRoutes(internal, { inbound });
  registerRoutingRoutes(internal, { vendors });
  registerRevocationRoutes(internal, { delivery });

  await startInOrder(closing, [
    [() => bus.start(), () => bus.stop()],
    [() => log.start(), () => log.stop()],
    [() => bundles.start(), () => bundles.stop()],
    [() => delivery.start(), () => delivery.stop()],
    [() => undefined, () => groupCommit.close()],
    [() => inbound.start(), () => inbound.stop()],
    [() => listen(internal, config.listen.internal), () => internal.close()],
    [() => listen(device, config.listen.device), () => device.close()],
    [() => undefined, () => sync.stop()],
  ]);
  if (config.unsafe_plain_http) logger.warn('unsafe option in use', { option: 'unsafe_plain_http' });
  const ports = { device: portOf(device), internal: portOf(internal) };
  logger.info('listening', { port: ports.device });
  return { ports, stop: () => closeAll(closing) };
}

type Step = readonly [start: () => unknown, stop: () => unknown];

async function startInOrder(closing: (() => unknown)[], steps: readonly Step[]): Promise<void> {
  for (const [start, stop] of steps) {
    closing.push(stop);
    await start();
  }
}

/** Last up, first down; a part that fails to stop keeps no other from stopping. */
async function closeAll(closing: (() => unknown)[]): Promise<void> {
  for (const close of closing.splice(0).reverse()) await Promise.resolve(close()).catch(() => undefined);
}

async function openMigrated(config: GatewayConfig, logger: Logger): Promise<Database> {
  const { password_file, ...connection } = config.database;
  const database = openDatabase({ ...connection, password: readFileSync(password_file, 'utf8').trim() });
  try {
    await migrate(database, SQL_FOLDER, (migration) => logger.info('migrated', { migration }));
    return database;
  } catch (cause) {
    await database.close();
    throw cause;
  }
}

function readTls(files: { cert_file: string; key_file: string; ca_file?: string }): ServerTls {
  const read = (path: string) => readFileSync(path, 'utf8');
  const own = { cert: read(files.cert_file), key: read(files.key_file) };
  return files.ca_file === undefined ? own : { ...own, clientCa: read(files.ca_file) };
}

/** Why the gateway cannot do its work now, in a word; `undefined` when it can. */
async function readiness(database: Database, healthy: () => boolean): Promise<string | undefined> {
  try {
    await database.query('ready', 'SELECT 1');
  } catch {
    return 'database';
  }
  return healthy() ? undefined : 'log';
}

async function listen(server: Server, { host, port }: { host: string; port: number }): Promise<void> {
  await server.listen({ host, port });
}

function portOf(server: Server): number {
  const [address] = server.addresses();
  return typeof address === 'object' ? address.port : 0;
}
