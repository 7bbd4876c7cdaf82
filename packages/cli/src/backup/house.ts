/**
 * The zones of a `sealpost start` house as places. A house that runs is read while it runs; one that stands still gets its
 * PostgreSQL for as long as the work takes, under the folder's lock.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Surroundings } from '@sealpost/platform';
import { SealpostError } from '@sealpost/protocol';
import type { Zone } from '../bootstrap/bootstrap.ts';
import { startPostgres } from '../postgres/index.ts';
import { type DataFolder, openDataFolder } from '../start/data-folder.ts';
import { type DatabasePlace, ownServerOf } from '../start/database-place.ts';
import { DEFAULT_PORT_BASE, portsFrom } from '../start/ports.ts';
import { prepareDatabases, writeServiceConfigs } from '../start/services.ts';
import { type Place, readPlace } from './place.ts';

export interface HouseOptions {
  readonly data: string;
  readonly version: string;
  readonly runtimeDir: string | undefined;
  readonly surroundings: Surroundings;
  readonly say: (text: string) => void;
}

type Places = Readonly<Record<Zone, Place>>;

/** Lends the places of an existing house to `work`. */
export async function withHouse<T>(options: HouseOptions, work: (places: Places) => Promise<T>): Promise<T> {
  let folder: DataFolder;
  try {
    folder = openDataFolder(options.data, options.version);
  } catch (cause) {
    if (cause instanceof SealpostError && cause.code === 'ERR_START_LOCKED')
      return work(placesIn(join(options.data, 'run')));
    throw cause;
  }
  try {
    return await withDatabases(options, folder, (database) => work(placesIn(folder.zone('run'), database)));
  } finally {
    folder.release();
  }
}

/** Lends the places of a house that is only now being made; it is settled once `work` is done. */
export async function withNewHouse<T>(
  options: HouseOptions & { readonly organisation: string },
  work: (places: Places) => Promise<T>,
): Promise<T> {
  const folder = openDataFolder(options.data, options.version);
  try {
    return await withDatabases(options, folder, async (database) => {
      const [ports, pages] = [portsFrom(DEFAULT_PORT_BASE), folder.zone('run')];
      writeServiceConfigs({ folder, ports, organisation: options.organisation, database, pages, logLevel: 'info' });
      const result = await work(placesIn(folder.zone('run')));
      // The next start serves what was restored instead of telling the story on it.
      writeFileSync(join(folder.zone('run'), 'story-told'), `${options.surroundings.now()}\n`);
      return result;
    });
  } finally {
    folder.release();
  }
}

async function withDatabases<T>(
  { runtimeDir, say }: HouseOptions,
  folder: DataFolder,
  work: (database: DatabasePlace) => Promise<T>,
): Promise<T> {
  const own = ownServerOf(folder.path);
  folder.settle();
  if (own !== undefined) return work(own);
  const dir = runtimeDir === undefined ? {} : { runtimeDir };
  const server = await startPostgres({ dataDir: folder.postgres, onLog: say, ...dir });
  try {
    await prepareDatabases(server, folder);
    return await work({ kind: 'embedded', socketDir: server.socketDir });
  } finally {
    await server.stop();
  }
}

/** By the configurations the last start wrote; a socket may be elsewhere today. */
function placesIn(run: string, database?: DatabasePlace): Places {
  const read = (zone: Zone): Place => {
    const place = readPlace(zone, join(run, `${zone}.yaml`));
    if (place.database === undefined || database?.kind !== 'embedded') return place;
    return { ...place, database: { ...place.database, host: database.socketDir } };
  };
  return { control: read('control'), gateway: read('gateway'), dispatcher: read('dispatcher') };
}
