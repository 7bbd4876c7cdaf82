/**
 * The composition root of control, the only file that sees every module: opens what the configuration names, builds the
 * modules from left to right, registers their routes, listens.
 */
import { fileURLToPath } from 'node:url';
import {
  createGuardedFetch,
  createServer,
  type Database,
  type Logger,
  migrate,
  openDatabase,
  type RunningService,
  type Server,
  type Surroundings,
  systemSurroundings,
} from '@sealpost/platform';
import { fromBase64url } from '@sealpost/protocol';
import type { ControlConfig, PageConfig } from './config/config.ts';
import { openZoneKeys, readText, type ZoneKeys } from './config/zone-keys.ts';
import { createGatewayClient, type GatewayClient } from './gateway/gateway-client.ts';
import { registerFrontPage } from './http/front-page.ts';
import { registerConsole, registerInbox } from './http/pages.ts';
import { createAgents } from './modules/agents/index.ts';
import { createAlerts, registerAlertsRoutes } from './modules/alerts/index.ts';
import { createConsent } from './modules/consent/index.ts';
import { createEnrollment, registerDeviceEnrollment, registerEnrollmentRoutes } from './modules/enrollment/index.ts';
import { createFlows, registerFlowsRoutes } from './modules/flows/index.ts';
import { createIdentity, registerConsoleSessionRoutes, registerIdentityRoutes } from './modules/identity/index.ts';
import { createInbound } from './modules/inbound/index.ts';
import { createMessages, registerConsoleRoutes, registerMessagesRoutes } from './modules/messages/index.ts';
import { createPolicy } from './modules/policy/index.ts';
import {
  createDeliveries,
  createFollower,
  createSubscriptions,
  registerSubscriptionsRoutes,
} from './modules/subscriptions/index.ts';
import { createLogSource, createWitness } from './modules/witness/index.ts';

const VERSION = '0.1.0';
const SQL_FOLDER = fileURLToPath(new URL('../sql', import.meta.url));
/** What a route takes unless it says otherwise: a message with its facts. */
const BODY_LIMIT = 512 * 1024;

export interface RunningControl extends RunningService {
  /** Where it listens. */
  readonly url: string;
}

export async function startControl(
  config: ControlConfig,
  { logger, surroundings = systemSurroundings() }: { logger: Logger; surroundings?: Surroundings },
): Promise<RunningControl> {
  const keys = await openZoneKeys(config, surroundings);
  const database = await openZoneDatabase(config, logger);
  const closing: Closing[] = [() => database.close()];
  try {
    const gateway = openGateway(config, keys);
    closing.push(gateway.close);
    const zone = { config, keys, database, gateway, logger, surroundings };
    const url = await run(zone, closing);
    return { url, stop: () => closeAll(closing) };
  } catch (cause) {
    await closeAll(closing);
    throw cause;
  }
}

type Closing = () => unknown;

/** Builds, starts what runs in the background, listens; `closing` grows by what has to be taken down again. */
async function run(zone: Zone, closing: Closing[]): Promise<string> {
  const { config, logger } = zone;
  const parts = buildModules(zone);
  const server = await serve('control', config, zone);
  await registerRoutes(server, zone, parts);
  const pages = await servePages(zone, parts);
  for (const part of [parts.flows, parts.enrollment, parts.witness, ...parts.workers]) {
    closing.push(() => part.stop());
    await part.start();
  }
  for (const { page, listen } of pages) {
    closing.push(() => page.close());
    await page.listen({ host: listen.host, port: listen.port });
  }
  closing.push(() => server.close());
  const url = await server.listen({ host: config.listen.host, port: config.listen.port });
  warnOfWeakenings(config, logger);
  logger.info('listening', { port: Number(new URL(url).port), version: parts.flows.current()?.bundle.version ?? 0 });
  return url;
}

/** In the other order: first no more requests, last the database. */
async function closeAll(closing: Closing[]): Promise<void> {
  for (let close = closing.pop(); close !== undefined; close = closing.pop()) await close();
}

interface Zone {
  readonly config: ControlConfig;
  readonly keys: ZoneKeys;
  readonly database: Database;
  readonly gateway: GatewayClient;
  readonly logger: Logger;
  readonly surroundings: Surroundings;
}

type Modules = ReturnType<typeof buildModules>;

function buildModules({ config, keys, database, gateway, logger, surroundings }: Zone) {
  const { trust, trustJws } = keys;
  const audiences = [...new Set(['control', new URL('/v1/token', config.public_url).href])];
  const identity = createIdentity({
    database,
    trust,
    tokenSigner: keys.token,
    storageKey: keys.storage,
    audiences,
    surroundings,
  });
  const policy = createPolicy();
  const flows = createFlows({ database, gateway, identity, trust, surroundings, logger, onBundle: policy.load });
  const enrollment = createEnrollment({
    database,
    gateway,
    identity,
    trust,
    trustJws,
    gatewayUrl: config.gateway.device_url,
    deviceCaSigner: keys.deviceCa,
    submitSigner: keys.submit,
    surroundings,
    logger,
  });
  const shared = { database, gateway, identity, flows, policy, enrollment, trust, surroundings, logger };
  const agents = createAgents({ ...shared, keys: keys.store });
  const signing = { submitSigner: keys.submit, storageKey: keys.requests };
  const consent = createConsent({ sql: database, storageKey: keys.storage, surroundings });
  const messages = createMessages({ ...shared, ...signing, agents, consent });
  const alerts = createAlerts({ ...shared, messages });
  const source = createLogSource(config.gateway.device_url);
  const witness = createWitness({ database, source, gateway, trust, signer: keys.witness, surroundings, logger });
  const events = { signer: keys.webhooks, storageKey: keys.storage, surroundings };
  const unsafeHosts = config.unsafe_subscriber_hosts;
  const subscriptions = createSubscriptions({ ...events, database, organisation: trust.organisation, unsafeHosts });
  const told = { database, gateway, subscriptions, logger };
  const workers = [
    createDeliveries({ ...told, ...events, fetch: createGuardedFetch({ privateHosts: unsafeHosts }) }),
    createFollower({ ...told, senderOf: messages.senderOf }),
  ];
  if (keys.inbound === undefined) logger.warn('no inbound key', { state: 'what people send back is not taken' });
  else
    workers.push(
      createInbound({ ...told, consent, flows, surroundings, organisation: trust.organisation, key: keys.inbound }),
    );
  return { identity, policy, flows, enrollment, messages, alerts, subscriptions, workers, source, witness };
}

async function registerRoutes(
  server: Server,
  { config, keys, database, gateway }: Zone,
  parts: Modules,
): Promise<void> {
  const { organisation } = config;
  registerFrontPage(server, { organisation, gatewayUrl: config.gateway.device_url, trustJws: keys.trustJws });
  await registerIdentityRoutes(server, { identity: parts.identity, database });
  registerFlowsRoutes(server, { flows: parts.flows, identity: parts.identity, gateway });
  registerEnrollmentRoutes(server, { enrollment: parts.enrollment });
  registerMessagesRoutes(server, { messages: parts.messages, identity: parts.identity, gateway });
  registerSubscriptionsRoutes(server, { subscriptions: parts.subscriptions, identity: parts.identity });
  registerAlertsRoutes(server, { alerts: parts.alerts, identity: parts.identity });
}

async function openZoneDatabase({ database: { password_file, ...database } }: ControlConfig, logger: Logger) {
  const opened = openDatabase({ ...database, password: readText(password_file).trim() });
  try {
    await migrate(opened, SQL_FOLDER, (migration) => logger.info('migration applied', { migration }));
    return opened;
  } catch (cause) {
    await opened.close();
    throw cause;
  }
}

function openGateway(
  { gateway: { url }, service_tls, organisation }: ControlConfig,
  { trust }: ZoneKeys,
): GatewayClient {
  const serviceCa = fromBase64url(trust.serviceCa);
  if (serviceCa === undefined) throw new TypeError('a verified trust file holds a service CA');
  const [certificate, key] = [readText(service_tls.cert_file), readText(service_tls.key_file)];
  return createGatewayClient({ url, organisation, serviceCa, certificate, key });
}

/** Inbox and console, each on an origin of its own with no more of the interface than it needs. */
async function servePages(zone: Zone, parts: Modules) {
  const { inbox, console } = zone.config;
  const pages: { page: Server; listen: PageConfig['listen'] }[] = [];
  if (inbox !== undefined) {
    const page = await serve('inbox', inbox, zone);
    registerInbox(page, { config: inbox, gatewayUrl: zone.config.gateway.device_url, trustJws: zone.keys.trustJws });
    registerDeviceEnrollment(page, { enrollment: parts.enrollment });
    pages.push({ page, listen: inbox.listen });
  }
  if (console !== undefined) {
    const page = await serve('console', console, zone);
    registerConsole(page, { config: console, trustJws: zone.keys.trustJws });
    await registerConsoleSessionRoutes(page, { identity: parts.identity });
    registerConsoleRoutes(page, { ...parts, gateway: zone.gateway, log: parts.source });
    pages.push({ page, listen: console.listen });
  }
  return pages;
}

function serve(name: string, { tls }: Pick<ControlConfig, 'tls'>, { logger, database }: Zone): Promise<Server> {
  const ready = async () => {
    const answers = await database.query('ready', 'SELECT 1 AS one').catch(() => []);
    return answers.length === 1 ? undefined : 'database';
  };
  const options = { name, version: VERSION, logger, bodyLimit: BODY_LIMIT, ready };
  return createServer(
    tls === undefined ? options : { ...options, tls: { cert: readText(tls.cert_file), key: readText(tls.key_file) } },
  );
}

function warnOfWeakenings(config: ControlConfig, logger: Logger): void {
  const { unsafe_plain_http, unsafe_subscriber_hosts, tls, inbox, console } = config;
  if (unsafe_subscriber_hosts.length > 0) logger.warn('weakened', { option: 'unsafe_subscriber_hosts' });
  if ([inbox, console].some((page) => (page?.unsafe_framed_by.length ?? 0) > 0))
    logger.warn('weakened', { option: 'unsafe_framed_by' });
  if (unsafe_plain_http && tls === undefined) logger.warn('weakened', { option: 'unsafe_plain_http' });
}
