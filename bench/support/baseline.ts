/**
 * Raw baselines of the same run: the bytes of an envelope put into a table of their own, one a transaction and a hundred a
 * statement. `pgbench` of Debian is the reference for one-row transactions; where there is none, `pg` stands in for it.
 */
import { openDatabase } from '@sealpost/platform';
import { type Measured, runPgbench, times } from './load.ts';
import type { Line } from './report.ts';
import type { BenchServer } from './server.ts';

const RAW_TABLE =
  'CREATE TABLE IF NOT EXISTS raw_row (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body bytea NOT NULL)';
/** Stored as envelopes are, so that the baseline is not slowed by compression that we switched off. */
const RAW_STORAGE = 'ALTER TABLE raw_row ALTER COLUMN body SET STORAGE EXTERNAL, SET (toast_tuple_target = 8160)';
const RAW_ONE = 'INSERT INTO raw_row (body) VALUES ($1)';
const RAW_HUNDRED = `
INSERT INTO raw_row (body) SELECT substring($1::bytea FROM ($2 * (n - 1) + 1) FOR $2) FROM generate_series(1, 100) AS n`;

export interface Baseline {
  /** One-row transactions a second at 64 clients. */
  readonly oneRow: number;
  /** Rows a second, a hundred a statement. */
  readonly hundred: Measured;
  readonly lines: readonly Line[];
}

export async function measureBaseline({ connection, folder, meter }: BenchServer, bytes: number): Promise<Baseline> {
  const wide = openDatabase({ ...connection, pool: 64 });
  try {
    await wide.query('raw-table', RAW_TABLE);
    await wide.query('raw-storage', RAW_STORAGE);
    const one = new Uint8Array(bytes).fill(97);
    const oneRow = await meter.run({ callers: 64 }, () => wide.query('raw-one', RAW_ONE, [one]));
    const many = new Uint8Array(bytes * 100).fill(97);
    const statement = () => wide.query('raw-100', RAW_HUNDRED, [many, bytes]);
    const hundred = times(100, await meter.run({ callers: 2 }, statement));
    const pgbench = await runPgbench(connection, bytes, folder, meter.seconds);
    const lines: Line[] = [
      { name: 'one-row transaction, 64 connections, pg named prepared', unit: 'tx/s', ...oneRow },
      { name: 'raw 100-row insert, 2 connections', unit: 'rows/s', ...hundred },
    ];
    if (pgbench !== undefined)
      lines.unshift({ name: 'one-row transaction, 64 clients, pgbench -M prepared', unit: 'tx/s', rate: pgbench });
    return { oneRow: pgbench ?? oneRow.rate, hundred, lines };
  } finally {
    await wide.close();
  }
}
