/**
 * What the house's PostgreSQL is told so that its files can be searched: rows are not compressed (a compressed marker is
 * none), old WAL is kept, and in the end everything that was ever written is in a file.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gatewayConfigSchema } from '../../packages/gateway/src/config/config.ts';
import { type Database, loadConfig, openDatabase, type Sql } from '../../packages/platform/src/index.ts';
import type { RunningHouse } from '../support/running-house.ts';

/** As the server's own user, which no zone is. */
export function openAsSuperuser({ sealpost: { folder } }: RunningHouse): Database {
  const { host, port } = loadConfig(gatewayConfigSchema, join(folder.zone('run'), 'gateway.yaml')).database;
  const password = readFileSync(join(folder.path, 'postgres-superuser'), 'utf8').trim();
  return openDatabase({ host, port, database: 'postgres', user: 'sealpost_superuser', password, pool: 2 });
}

export async function keepWal(superuser: Sql): Promise<void> {
  await superuser.query('keep-wal', "ALTER SYSTEM SET wal_keep_size = '4GB'");
  await superuser.query('reload', 'SELECT pg_reload_conf()');
}

/** From now on long values of every table are stored as they are: neither in the table, its TOAST, its indexes nor WAL compressed. */
export async function compressNothing(database: Sql): Promise<void> {
  const columns = await database.query<{ name: string; column: string }>(
    'compressible',
    `SELECT attrelid::regclass::text AS name, quote_ident(attname) AS column FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
     WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped AND attstorage IN ('x', 'm')`,
  );
  for (const { name, column } of columns)
    await database.query(`plain-${name}-${column}`, `ALTER TABLE ${name} ALTER COLUMN ${column} SET STORAGE EXTERNAL`);
}

/** Buffers into files, WAL to the end of a segment. */
export async function writeOut(superuser: Sql): Promise<void> {
  await superuser.query('checkpoint', 'CHECKPOINT');
  await superuser.query('switch', 'SELECT pg_switch_wal()');
  await superuser.query('checkpoint-again', 'CHECKPOINT ');
}

/** Folder of a database's files, below the data folder. */
export async function folderOf(superuser: Sql, database: string): Promise<string> {
  const [row] = await superuser.query<{ oid: number }>('oid', 'SELECT oid::int FROM pg_database WHERE datname = $1', [
    database,
  ]);
  return `postgres/base/${row?.oid}/`;
}
