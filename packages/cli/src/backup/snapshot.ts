/**
 * One unchanging view of a database: a REPEATABLE READ transaction (PostgreSQL documentation section 13.2.2), every table
 * read through a cursor and every column as text, in which PostgreSQL's types survive the journey exactly.
 */
import type { Database, Sql } from '@sealpost/platform';
import { escapeIdentifier } from 'pg';
import { sequencesOf, type Table, tablesOf } from './catalog.ts';
import type { Row } from './contents-schema.ts';

export interface Snapshot {
  readonly sql: Sql;
  readonly tables: readonly Table[];
  rows(table: Table): AsyncGenerator<Row>;
  sequences(): Promise<{ name: string; value: string }[]>;
  close(): Promise<void>;
}

/** Rows of a page: a sealed body has up to some hundred kilobytes. */
const PAGE = 200;

/** What the text of a value depends on, set the same when it is written and when it is read. */
export const TEXT_SETTINGS = `
SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL intervalstyle = 'postgres'; SET LOCAL timezone = 'UTC';
SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1`;

export async function openSnapshot(database: Database): Promise<Snapshot> {
  const { client, sql, release } = await database.connection();
  const close = async () =>
    release(
      await client.query('ROLLBACK').then(
        () => false,
        () => true,
      ),
    );
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    await client.query(TEXT_SETTINGS);
    // The first statement takes the snapshot.
    const tables = await tablesOf(sql);
    return {
      sql,
      tables,
      rows: (table) => rowsOf(table, (text) => client.query(text)),
      sequences: () => sequencesOf(sql),
      close,
    };
  } catch (cause) {
    await close();
    throw cause;
  }
}

type Ask = (text: string) => Promise<{ readonly rows: readonly { readonly row: Row }[] }>;

/** Also for reading back, in the transaction that loads. */
export async function* rowsOf({ name, columns }: Table, ask: Ask): AsyncGenerator<Row> {
  const texts = columns.map((column) => `${escapeIdentifier(column.name)}::text`).join(', ');
  await ask(
    `DECLARE backup_rows NO SCROLL CURSOR FOR SELECT ARRAY[${texts}]::text[] AS row FROM public.${escapeIdentifier(name)}`,
  );
  for (;;) {
    const { rows } = await ask(`FETCH ${PAGE} FROM backup_rows`);
    for (const { row } of rows) yield row;
    if (rows.length < PAGE) break;
  }
  await ask('CLOSE backup_rows');
}
