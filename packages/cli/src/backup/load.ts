/**
 * Filling an empty database: the migrations the backup has seen, then its rows, read back and compared by digest before
 * anything is committed. The program's newer migrations come at the next start, as after any upgrade.
 */
import { migrate, type Sql } from '@sealpost/platform';
import { escapeIdentifier } from 'pg';
import { backupErrorAt } from './backup-errors.ts';
import { type Table, tablesOf } from './catalog.ts';
import type { Row, TableSummary } from './contents-schema.ts';
import { createTableDigest } from './digest.ts';
import { rowsOf, TEXT_SETTINGS } from './snapshot.ts';

export interface Loader {
  table(name: string, columns: readonly string[]): Promise<void>;
  row(row: Row): Promise<void>;
  sequence(name: string, value: string): Promise<void>;
  /** Throws ERR_BACKUP_ALTERED when what is in the database now is not what the backup says. */
  finish(expected: readonly TableSummary[]): Promise<void>;
}

const BATCH = 200;

/** `tx` is the one transaction of the restore. Throws ERR_BACKUP_NOT_EMPTY. */
export async function createLoader(
  tx: Sql,
  place: { readonly pointer: string; readonly migrations: string },
  seen: readonly number[],
): Promise<Loader> {
  const [found] = await tablesOf(tx);
  if (found !== undefined) throw backupErrorAt('ERR_BACKUP_NOT_EMPTY', place.pointer, `has a table ${found.name}`);
  for (const [at, setting] of TEXT_SETTINGS.split(';').entries()) await tx.query(`load-setting-${at}`, setting);
  const within = { query: tx.query, transaction: <T>(work: (sql: Sql) => Promise<T>) => work(tx) };
  await migrate(within, place.migrations, undefined, (number) => seen.includes(number));
  const tables = await tablesOf(tx);
  // Migrations also put first rows in.
  await tx.query('load-truncate', `TRUNCATE ${tables.map(({ name }) => escapeIdentifier(name)).join(', ')}`);

  let insert: ((rows: readonly Row[]) => Promise<void>) | undefined;
  let waiting: Row[] = [];
  const flush = async () => {
    const rows = waiting;
    waiting = [];
    if (rows.length > 0) await insert?.(rows);
  };
  return {
    async table(name, columns) {
      await flush();
      insert = inserter(tx, tableLike(tables, name, columns));
    },
    async row(row) {
      waiting.push(row);
      if (waiting.length === BATCH) await flush();
    },
    async sequence(name, value) {
      await tx.query('load-sequence', 'SELECT setval(quote_ident($1)::regclass, $2::bigint)', [name, value]);
    },
    async finish(expected) {
      await flush();
      const there: TableSummary[] = [];
      for (const table of tables) there.push(await digestOf(tx, table));
      const differing = expected.find(
        ({ name, rows, digest }) =>
          !there.some((own) => own.name === name && own.rows === rows && own.digest === digest),
      );
      if (differing !== undefined)
        throw backupErrorAt('ERR_BACKUP_ALTERED', differing.name, 'the rows in the database are not those in the file');
    },
  };
}

/** The columns a backup names are those its migrations made, in their order. */
function tableLike(tables: readonly Table[], name: string, columns: readonly string[]): Table {
  const table = tables.find((candidate) => candidate.name === name);
  const same = table?.columns.map((column) => column.name).join() === columns.join();
  if (table === undefined || !same) throw backupErrorAt('ERR_BACKUP_NEWER', name, 'is a table of another form here');
  return table;
}

/** One array a column, each value cast from its text; an identity column takes the number it had. */
function inserter(tx: Sql, { name, columns }: Table) {
  const names = columns.map((column) => escapeIdentifier(column.name)).join(', ');
  const values = columns.map((column, at) => `v.c${at}::${column.type}`).join(', ');
  const arrays = columns.map((_, at) => `$${at + 1}::text[]`).join(', ');
  const aliases = columns.map((_, at) => `c${at}`).join(', ');
  const text = `INSERT INTO public.${escapeIdentifier(name)} (${names}) OVERRIDING SYSTEM VALUE
    SELECT ${values} FROM unnest(${arrays}) AS v(${aliases})`;
  return async (rows: readonly Row[]) => {
    await tx.query(
      `load-${name}`,
      text,
      columns.map((_, at) => rows.map((row) => row[at] ?? null)),
    );
  };
}

async function digestOf(tx: Sql, table: Table): Promise<TableSummary> {
  const digest = createTableDigest(table.name);
  let statement = 0;
  const ask = async (text: string) => ({
    rows: await tx.query<{ row: Row }>(
      `load-check-${table.name}-${statement++ === 0 ? 'open' : text.slice(0, 5)}`,
      text,
    ),
  });
  for await (const row of rowsOf(table, ask)) digest.add(row);
  return digest.summary();
}
