/**
 * `sealpost start`: one machine, every zone a process of its own. Opens the data folder, starts PostgreSQL, carries out
 * the ceremony once, starts the services in the order they need each other, and keeps them running until told to stop.
 */
import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Surroundings } from '@sealpost/platform';
import { builtPages, type ServiceName } from '../assets.ts';
import {
  type BootstrapFolders,
  type Bootstrapped,
  bootstrap,
  isBootstrapped,
  readBootstrapped,
  renewServiceCertificates,
  trustFolder,
} from '../bootstrap/bootstrap.ts';
import { type Children, createChildren } from './children.ts';
import { type DataFolder, openDataFolder } from './data-folder.ts';
import { ownServerOf } from './database-place.ts';
import { type KeptDatabase, keepDatabase } from './database-server.ts';
import { type Ports, portsFrom, requireFree } from './ports.ts';
import { prepareDatabases, writeServiceConfigs } from './services.ts';

/** The gateway's migrations make the dispatcher's tables; control asks the gateway which bundle it runs. */
const ORDER: readonly (readonly ServiceName[])[] = [
  ['gateway', 'simulator'],
  ['control', 'dispatcher'],
];

export interface StartOptions {
  readonly data: string;
  readonly portBase: number;
  readonly organisation: string;
  readonly version: string;
  readonly logLevel: string;
  readonly operator?: string;
  readonly runtimeDir?: string;
  /** Aborted to give the start up; what was started by then is stopped and the reason thrown. */
  readonly signal?: AbortSignal;
}

export interface RunningSealpost {
  readonly folder: DataFolder;
  readonly operator: string;
  readonly ports: Ports;
  readonly fresh: boolean;
  readonly rootFingerprint: string;
  pid(service: ServiceName | 'postgres'): number | undefined;
  /** What an operator must know at each start. */
  readonly warnings: readonly string[];
  stop(): Promise<void>;
}

export async function startSealpost(
  options: StartOptions,
  surroundings: Surroundings,
  say: (text: string) => void,
): Promise<RunningSealpost> {
  const ports = portsFrom(options.portBase);
  const folder = openDataFolder(options.data, options.version);
  let postgres: KeptDatabase | undefined;
  let children: Children | undefined;
  const stop = async () => {
    await children?.stopAll();
    await postgres?.stop();
    folder.release();
  };
  try {
    await requireFree(ports);
    folder.settle();
    const pages = builtPages(join(folder.zone('run'), 'pages'));
    // Awaited below; a failure meanwhile must not count as unhandled.
    pages.catch(() => undefined);
    const own = ownServerOf(folder.path);
    if (own === undefined) {
      say('starting PostgreSQL');
      const { runtimeDir } = options;
      postgres = await keepDatabase(
        { dataDir: folder.postgres, onLog: say, ...(runtimeDir === undefined ? {} : { runtimeDir }) },
        surroundings.now,
      );
      options.signal?.throwIfAborted();
      await prepareDatabases(postgres.server(), folder);
    }
    const folders = foldersOf(folder, options.operator);
    const { trust, rootFingerprint } = await organisationOf(folders, options, surroundings, say);
    options.signal?.throwIfAborted();
    const services = writeServiceConfigs({
      folder,
      ports,
      organisation: trust.organisation,
      database: own ?? { kind: 'embedded', socketDir: postgres?.server().socketDir ?? '' },
      pages: await pages,
      logLevel: options.logLevel,
    });
    children = createChildren({
      logs: folder.zone('logs'),
      compileCache: join(folder.zone('run'), 'compile-cache'),
      now: surroundings.now,
      onRestart: (name) =>
        say(`${name} ended unexpectedly and is started again; see ${join(folder.path, 'logs', `${name}.log`)}`),
    });
    const { start } = children;
    for (const together of ORDER) {
      say(`starting ${together.join(' and ')}`);
      await unlessAborted(options.signal, Promise.all(together.map((name) => start(services[name]))));
    }
    const started = { postgres, children };
    return {
      folder,
      operator: folders.operator,
      ports,
      fresh: folder.fresh,
      rootFingerprint,
      pid: (service) => (service === 'postgres' ? started.postgres?.server().pid : started.children.pid(service)),
      warnings: warningsOf(folders),
      stop,
    };
  } catch (cause) {
    await stop();
    throw cause;
  }
}

function unlessAborted<T>(signal: AbortSignal | undefined, work: Promise<T>): Promise<T> {
  if (signal === undefined) return work;
  const aborted = new Promise<never>((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  return Promise.race([work, aborted]);
}

/** Made at the first start; later the operator's folder may be elsewhere, the zones know whom to trust. */
async function organisationOf(
  folders: BootstrapFolders,
  options: StartOptions,
  surroundings: Surroundings,
  say: (text: string) => void,
): Promise<Bootstrapped> {
  if (isBootstrapped(folders)) {
    for (const zone of await renewServiceCertificates(folders, surroundings)) say(`certificate of ${zone} renewed`);
    return readBootstrapped(folders.operator);
  }
  const trusted = trustFolder(folders);
  if (trusted === undefined) return bootstrap(options.organisation, folders, surroundings);
  say(
    `the operator’s folder is not at ${folders.operator}: certificates are not renewed here (sealpost bootstrap --renew)`,
  );
  return readBootstrapped(trusted);
}

function foldersOf(folder: DataFolder, operator: string | undefined): BootstrapFolders {
  return {
    operator: operator ?? join(folder.path, 'operator'),
    zones: { control: folder.zone('control'), gateway: folder.zone('gateway'), dispatcher: folder.zone('dispatcher') },
  };
}

/** Said at each start, because nothing else on the screen would show it. */
function warningsOf(folders: BootstrapFolders): string[] {
  const kek = join(folders.zones.control, 'kek');
  const sameDisk = statSync(kek).dev === statSync(dirname(folders.zones.control)).dev;
  return [
    `keys of control, gateway and dispatcher are wrapped by the files named in keys.kek_file (here ${join(dirname(folders.zones.control), '<zone>', 'kek')})${sameDisk ? ': they lie on the same disk as the keys, which protects neither against a copy of this disk nor against this machine’s administrator' : ''}`,
    ...(isBootstrapped(folders)
      ? [
          `the operator’s keys are in ${folders.operator}: move that folder to another machine or medium once you run this for real`,
        ]
      : []),
    'control, gateway and dispatcher share this machine: the zones are separate processes, not a protection against its administrator',
  ];
}
