/**
 * A temporary folder with a PostgreSQL started in it, for tests about the launcher itself. Disposal
 * stops every server that was started through it and removes the folder. (Tests that only need a
 * database use test/support/postgres.ts.)
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, type QueryResultRow } from 'pg';

import {
  createDatabase,
  type PostgresAdmin,
  type RunningPostgres,
  type StartPostgresOptions,
  startPostgres,
} from '../../src/postgres/index.ts';
import { chooseSocketDir } from '../../src/postgres/socket-dir.ts';

export type Scratch = AsyncDisposable & {
  readonly folder: string;
  readonly dataDir: string;
  /** What the launcher reported through onLog. */
  readonly log: string[];
  start(options?: Partial<StartPostgresOptions>): Promise<RunningPostgres>;
};

export const scratch = async (): Promise<Scratch> => {
  const folder = await mkdtemp(join(tmpdir(), 'sealpost-pg-'));
  await chmod(folder, 0o711);
  const dataDir = join(folder, 'postgres');
  const log: string[] = [];
  const started: RunningPostgres[] = [];
  return {
    folder,
    dataDir,
    log,
    start: async (options = {}) => {
      const server = await startPostgres({
        dataDir,
        unsafeNoFsync: true,
        onLog: (message) => log.push(message),
        ...options,
      });
      started.push(server);
      return server;
    },
    [Symbol.asyncDispose]: async () => {
      for (const server of started) await server.stop();
      // A parent that was killed had no time to remove the folder of its socket.
      await rm(chooseSocketDir({ dataDir }), { recursive: true, force: true });
      await rm(folder, { recursive: true, force: true });
    },
  };
};

/** Runs one query as the superuser, or as `account`, and returns its rows. */
export const ask = async <Row extends QueryResultRow>(
  server: PostgresAdmin,
  sql: string,
  account: { role?: string; password?: string; database?: string } = {},
): Promise<Row[]> => {
  const client = new Client({
    host: server.socketDir,
    port: server.port,
    user: account.role ?? server.superuser,
    password: account.password ?? server.superuserPassword,
    database: account.database ?? 'postgres',
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end().catch(() => undefined);
  }
};

/** A table with one row in a database of its own; `read` proves the row is still there. */
export const keepsake = {
  account: { database: 'keep', role: 'keeper', password: 'a-password-of-the-test' },
  write: async (server: PostgresAdmin): Promise<void> => {
    await createDatabase(server, keepsake.account);
    await ask(server, `CREATE TABLE note AS SELECT 'kept' AS text`, keepsake.account);
  },
  read: async (server: PostgresAdmin): Promise<string | undefined> => {
    const rows = await ask<{ text: string }>(server, 'SELECT text FROM note', keepsake.account);
    return rows[0]?.text;
  },
};
