/** A log on a database of its own, with a clock that tests move and nothing running in the background unless started. */
import {
  createLogger,
  type Database,
  migrate,
  openDatabase,
  type Surroundings,
  systemSurroundings,
} from '@sealpost/platform';
import { encodeVerifierKey } from '@sealpost/tlog';
import { freshDatabase } from '../../../../test/support/postgres.ts';
import { createLog, type Log } from '../../src/modules/log/index.ts';
import { type Bus, createBus } from '../../src/platform/bus.ts';
import { createOrganisation, type Organisation } from './organisation.ts';

export const SQL_FOLDER = new URL('../../sql', import.meta.url).pathname;
export const quiet = createLogger('test', 'error');

export interface Clock extends Surroundings {
  advance(ms: number): void;
}

export function movableClock(): Clock {
  const system = systemSurroundings();
  let ahead = 0;
  return {
    ...system,
    now: () => system.now() + ahead,
    advance(ms) {
      ahead += ms;
    },
  };
}

export interface LogBench extends AsyncDisposable {
  readonly organisation: Organisation;
  readonly database: Database;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Log;
  /** Another node on the same database: its own pool, bus and log. */
  node(): Promise<{ log: Log; bus: Bus; database: Database }>;
}

export async function openTestDatabase(): Promise<{ database: Database; open: () => Database } & AsyncDisposable> {
  const fresh = await freshDatabase();
  const opened: Database[] = [];
  const open = () => {
    const database = openDatabase({ ...fresh.config, pool: 8 });
    opened.push(database);
    return database;
  };
  const database = open();
  await migrate(database, SQL_FOLDER);
  return {
    database,
    open,
    async [Symbol.asyncDispose]() {
      for (const each of opened) await each.close();
      await fresh[Symbol.asyncDispose]();
    },
  };
}

export async function createLogBench(): Promise<LogBench> {
  const opened = await openTestDatabase();
  const organisation = await createOrganisation();
  const clock = movableClock();
  const nodes: { log: Log; bus: Bus }[] = [];
  const node = async (database: Database) => {
    const bus = createBus({ database, logger: quiet });
    const log = createLog({
      database,
      bus,
      logger: quiet,
      surroundings: clock,
      signer: organisation.logSigner,
      logKey: encodeVerifierKey(organisation.logKey),
      verifier: organisation.logKey,
      witness: organisation.witnessKey,
    });
    nodes.push({ log, bus });
    return { log, bus, database };
  };
  const first = await node(opened.database);
  return {
    organisation,
    clock,
    ...first,
    node: () => node(opened.open()),
    async [Symbol.asyncDispose]() {
      for (const { log, bus } of nodes) {
        await log.stop();
        await bus.stop();
      }
      await opened[Symbol.asyncDispose]();
    },
  };
}
