/**
 * PostgreSQL as the services use it, on a real server: statements by name, transactions that keep all or nothing, and
 * migrations that run once and in order however many nodes start at the same time.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { freshDatabase } from '../../../test/support/postgres.ts';
import { migrate, openDatabase } from '../src/index.ts';

/** An empty database with a pool, and a folder for migrations; all gone with the test. */
async function bench() {
  const fresh = await freshDatabase();
  const folder = mkdtempSync(join(tmpdir(), 'sealpost-sql-'));
  const open = (pool = 4) => openDatabase({ ...fresh.config, pool });
  const database = open();
  return {
    database,
    folder,
    open,
    write(files: Readonly<Record<string, string>>) {
      for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    },
    async tables() {
      const text = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1";
      return (await database.query<{ tablename: string }>('t-tables', text)).map((row) => row.tablename);
    },
    async applied() {
      const text = 'SELECT number FROM migration WHERE number > 0 ORDER BY applied_at, number';
      return (await database.query<{ number: number }>('t-applied', text)).map((row) => row.number);
    },
    async [Symbol.asyncDispose]() {
      await database.close();
      rmSync(folder, { recursive: true });
      await fresh[Symbol.asyncDispose]();
    },
  };
}

test('a statement is prepared under its name once a connection', async () => {
  await using b = await bench();
  await b.database.transaction(async (tx) => {
    for (const value of [1, 2])
      expect(await tx.query('t-echo', 'SELECT $1::int AS n', [value])).toEqual([{ n: value }]);
    const prepared = await tx.query('t-prepared', "SELECT name FROM pg_prepared_statements WHERE name = 't-echo'");
    expect(prepared).toEqual([{ name: 't-echo' }]);
  });
});

test('one name with two texts is refused', async () => {
  await using b = await bench();
  const work = b.database.transaction(async (tx) => {
    await tx.query('t-same', 'SELECT 1');
    await tx.query('t-same', 'SELECT 2');
  });
  await expect(work).rejects.toThrow(/unique/);
});

test('a Uint8Array is bound as bytes, also when it is a view into a larger one', async () => {
  await using b = await bench();
  const view = new Uint8Array([9, 0, 255, 92, 9]).subarray(1, 4);
  const text = "SELECT $1::bytea = '\\x00ff5c'::bytea AS same, $1::bytea AS bytes";
  const [row] = await b.database.query<{ same: boolean; bytes: Uint8Array }>('t-bytes', text, [view]);
  expect(row?.same).toBe(true);
  expect(new Uint8Array(row?.bytes ?? [])).toEqual(new Uint8Array([0, 255, 92]));
});

test('an int8 comes back as a number', async () => {
  await using b = await bench();
  const [row] = await b.database.query(
    't-int8',
    'SELECT 1700000000000::int8 AS n, count(*) AS c FROM pg_class WHERE false',
  );
  expect(row).toEqual({ n: 1_700_000_000_000, c: 0 });
});

test('a transaction keeps what it did when its work ends, and answers with its result', async () => {
  await using b = await bench();
  await b.database.query('t-make', 'CREATE TABLE kept (n int)');
  const result = await b.database.transaction(async (tx) =>
    tx.query('t-add', 'INSERT INTO kept VALUES (1) RETURNING n'),
  );
  expect(result).toEqual([{ n: 1 }]);
  expect(await b.database.query('t-kept', 'SELECT n FROM kept')).toEqual([{ n: 1 }]);
});

test('a transaction keeps nothing when its work throws, passes the error on and gives its connection back', async () => {
  await using b = await bench();
  const single = b.open(1);
  await single.query('t-make', 'CREATE TABLE kept (n int)');
  for (let round = 0; round < 3; round++) {
    const work = single.transaction(async (tx) => {
      await tx.query('t-add', 'INSERT INTO kept VALUES (1)');
      throw new Error(`round ${round}`);
    });
    await expect(work).rejects.toThrow(`round ${round}`);
  }
  expect(await single.query('t-kept', 'SELECT n FROM kept')).toEqual([]);
  await single.close();
});

test('a transaction whose work hid a failed statement does not pass for committed', async () => {
  await using b = await bench();
  await b.database.query('t-make', 'CREATE TABLE kept (n int)');
  const work = b.database.transaction(async (tx) => {
    await tx.query('t-add', 'INSERT INTO kept VALUES (1)');
    await tx.query('t-bad', 'SELECT 1 / 0').catch(() => undefined);
  });
  await expect(work).rejects.toThrow();
  expect(await b.database.query('t-kept', 'SELECT n FROM kept')).toEqual([]);
});

test('a connection that the server ends fails its transaction and not the process, and the pool goes on', async () => {
  await using b = await bench();
  const work = b.database.transaction(async (tx) => {
    const [self] = await tx.query<{ pid: number }>('t-pid', 'SELECT pg_backend_pid() AS pid');
    await b.database.query('t-end', 'SELECT pg_terminate_backend($1)', [self?.pid]);
    await tx.query('t-after', 'SELECT 1');
  });
  await expect(work).rejects.toThrow();
  expect(await b.database.query('t-one', 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

test('migrations are applied once each, in the order of their numbers, and other files are left alone', async () => {
  await using b = await bench();
  b.write({
    '0002-column.sql': 'ALTER TABLE first ADD COLUMN b int;\n',
    '0001-first.sql': 'CREATE TABLE first (a int);\n',
    'notes.sql': 'CREATE TABLE stray (a int);\n',
  });
  const told: string[] = [];
  await migrate(b.database, b.folder, (name) => told.push(name));
  await migrate(b.database, b.folder, (name) => told.push(name));
  b.write({ '0003-third.sql': 'CREATE TABLE third (a int);\n' });
  await migrate(b.database, b.folder, (name) => told.push(name));
  expect(told).toEqual(['0001-first.sql', '0002-column.sql', '0003-third.sql']);
  expect(await b.tables()).toEqual(['first', 'migration', 'third']);
});

test('migrations that many nodes start at the same time on an empty database are applied by one of them', async () => {
  for (let round = 0; round < 5; round++) {
    await using b = await bench();
    b.write({ '0001-first.sql': 'CREATE TABLE first (a int);\nINSERT INTO first VALUES (1);\n' });
    const nodes = Array.from({ length: 6 }, () => b.open(2));
    await Promise.all(nodes.map((node) => node.query('t-warm', 'SELECT 1')));
    const told: string[] = [];
    const ends = await Promise.allSettled(nodes.map((node) => migrate(node, b.folder, (name) => told.push(name))));
    await Promise.all(nodes.map((node) => node.close()));
    expect(ends.filter(({ status }) => status === 'rejected')).toEqual([]);
    expect(told).toEqual(['0001-first.sql']);
    expect(await b.database.query('t-rows', 'SELECT a FROM first')).toEqual([{ a: 1 }]);
  }
});

test('a database that a newer version migrated is refused and left as it is', async () => {
  await using b = await bench();
  b.write({ '0001-first.sql': 'CREATE TABLE first (a int);\n' });
  await migrate(b.database, b.folder);
  await b.database.query('t-newer', "INSERT INTO migration (number, name) VALUES (7, '0007-later.sql')");
  b.write({ '0002-second.sql': 'CREATE TABLE second (a int);\n' });
  await expect(migrate(b.database, b.folder)).rejects.toMatchObject({ code: 'ERR_DATABASE_NEWER' });
  expect(await b.tables()).toEqual(['first', 'migration']);
});

test.each(['$$', '$body$'])(
  'a body in %s quotes is kept whole, with its semicolons, comments and blank lines',
  async (quote) => {
    await using b = await bench();
    const body = ['BEGIN', '  -- a comment; with a semicolon;', '', '  RETURN a + 1;', 'END;'].join('\n');
    b.write({
      '0001-function.sql': [
        '-- What comes; first;',
        `CREATE FUNCTION one_more(a int) RETURNS int LANGUAGE plpgsql AS ${quote}`,
        body,
        `${quote};`,
        'CREATE TABLE after (a int);',
      ].join('\n'),
    });
    await migrate(b.database, b.folder);
    expect(await b.database.query('t-call', 'SELECT one_more(41) AS n')).toEqual([{ n: 42 }]);
    const [row] = await b.database.query('t-source', "SELECT prosrc FROM pg_proc WHERE proname = 'one_more'");
    expect(row).toEqual({ prosrc: `\n${body}\n` });
    expect(await b.tables()).toEqual(['after', 'migration']);
  },
);

test('a migration that fails changes nothing, nor do those before it in the same start, and a mended one is applied', async () => {
  await using b = await bench();
  b.write({
    '0001-first.sql': 'CREATE TABLE first (a int);\n',
    '0002-broken.sql': 'CREATE TABLE second (a int);\nALTER TABLE nowhere ADD COLUMN a int;\n',
  });
  await expect(migrate(b.database, b.folder)).rejects.toThrow(/nowhere/);
  expect(await b.tables()).toEqual(['migration']);
  expect(await b.applied()).toEqual([]);
  b.write({ '0002-broken.sql': 'CREATE TABLE second (a int);\n' });
  await migrate(b.database, b.folder);
  expect(await b.tables()).toEqual(['first', 'migration', 'second']);
  expect(await b.applied()).toEqual([1, 2]);
});
