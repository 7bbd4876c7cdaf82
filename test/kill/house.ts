/**
 * A whole house for the harness in a folder of its own: PostgreSQL, the simulated carriers, and the three services that
 * die. Set up by the same parts as `sealpost start`, without its supervision and without its pages.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { bootstrap } from '../../packages/cli/src/bootstrap/bootstrap.ts';
import { openDataFolder } from '../../packages/cli/src/start/data-folder.ts';
import { keepDatabase } from '../../packages/cli/src/start/database-server.ts';
import { type Ports, portsFrom, requireFree } from '../../packages/cli/src/start/ports.ts';
import { prepareDatabases, writeServiceConfigs } from '../../packages/cli/src/start/services.ts';
import { type Database, openDatabase, systemSurroundings } from '../../packages/platform/src/index.ts';
import type { Trust } from '../../packages/protocol/src/index.ts';
import type { Arm } from './kill-messages.ts';
import { createProcesses, type Processes } from './processes.ts';

export interface KillHouse {
  readonly ports: Ports;
  readonly operator: string;
  readonly trust: Trust;
  readonly rootFingerprint: string;
  readonly devices: string;
  readonly processes: Processes;
  /** The gateway's, as its own role sees it. */
  readonly database: Database;
  /** SIGKILL to the database server, which its own keeper starts again. */
  killPostgres(): void;
  close(): Promise<void>;
}

/** Short ones: an attempt whose answer never comes must not outlast the run. */
const PROVIDER_TIMEOUT = '2s';
const ORGANISATION = 'acme.example';

export interface KillHouseOptions {
  readonly folder: string;
  readonly portBase: number;
  readonly onStart: (service: string) => Omit<Arm, 'kind'> | undefined;
  readonly onUnasked: (service: string, how: string) => void;
  readonly say: (text: string) => void;
}

export async function openKillHouse(options: KillHouseOptions): Promise<KillHouse> {
  const surroundings = systemSurroundings();
  const ports = portsFrom(options.portBase);
  await requireFree(ports);
  const folder = openDataFolder(join(options.folder, 'data'), '0.1.0');
  folder.settle();
  const closing: (() => unknown)[] = [() => folder.release()];
  const close = async () => {
    for (const end of closing.splice(0).reverse()) await end();
  };
  try {
    const postgres = await keepDatabase({ dataDir: folder.postgres, onLog: options.say }, surroundings.now);
    closing.push(() => postgres.stop());
    await prepareDatabases(postgres.server(), folder);
    const operator = join(folder.path, 'operator');
    const zones = {
      control: folder.zone('control'),
      gateway: folder.zone('gateway'),
      dispatcher: folder.zone('dispatcher'),
    };
    const { trust, rootFingerprint } = await bootstrap(ORGANISATION, { operator, zones }, surroundings);
    const { socketDir } = postgres.server();
    const pages = join(folder.zone('run'), 'pages');
    const embedded = { kind: 'embedded', socketDir } as const;
    const written = { folder, ports, organisation: ORGANISATION, database: embedded, pages, logLevel: 'info' };
    const services = writeServiceConfigs(written);
    for (const { config } of Object.values(services)) adapt(config);
    const processes = createProcesses({
      logs: folder.zone('logs'),
      compileCache: join(folder.zone('run'), 'compile-cache'),
      onStart: options.onStart,
      onUnasked: options.onUnasked,
    });
    closing.push(() => processes.stop());
    await Promise.all([processes.start(services.gateway), processes.start(services.simulator)]);
    await Promise.all([processes.start(services.control), processes.start(services.dispatcher)]);
    const database = await openGatewayDatabase(services.gateway.config);
    closing.push(() => database.close());
    return {
      ports,
      operator,
      trust,
      rootFingerprint,
      devices: folder.zone('devices'),
      processes,
      database,
      killPostgres: () => void process.kill(postgres.server().pid, 'SIGKILL'),
      close,
    };
  } catch (cause) {
    await close();
    throw cause;
  }
}

/** Leaves the pages out, which would have to be built first, lets no provider take long, and tells a subscriber here. */
function adapt(config: string): void {
  const { inbox, console: _console, pages: _pages, ...rest } = parse(readFileSync(config, 'utf8'));
  // The subscriber is on this machine, without TLS.
  if (inbox !== undefined) rest.unsafe_subscriber_hosts = ['127.0.0.1'];
  if (rest.vendors !== undefined) {
    rest.vendors['rcs-main'].timeout = PROVIDER_TIMEOUT;
    rest.vendors['sms-main'].response_timeout = PROVIDER_TIMEOUT;
  }
  writeFileSync(config, stringify(rest));
}

async function openGatewayDatabase(config: string): Promise<Database> {
  const { password_file, ...connection } = parse(await readFile(config, 'utf8')).database;
  return openDatabase({ ...connection, password: (await readFile(password_file, 'utf8')).trim(), pool: 3 });
}
