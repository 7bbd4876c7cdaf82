/** Each deployable has one database and one role, and reaches nothing else on the embedded server. */
import { Client } from 'pg';
import { expect, inject, test } from 'vitest';

import { freshDatabase } from '../../../../test/support/postgres.ts';
import { connectionConfig, connectionString, createDatabase, dropDatabase } from '../../src/postgres/index.ts';
import { scramVerifier } from '../../src/postgres/scram.ts';
import { ask } from './scratch.ts';

test('a role works in its own database and cannot connect to any other', async () => {
  await using gateway = await freshDatabase();
  await using control = await freshDatabase();
  await query(gateway.config, 'CREATE TABLE t AS SELECT 42 AS answer');
  expect(await query(gateway.config, 'SELECT answer FROM t')).toEqual([{ answer: 42 }]);
  for (const database of [control.database, 'postgres', 'template1']) {
    await expect(query({ ...gateway.config, database }, 'SELECT 1')).rejects.toMatchObject({ code: '42501' });
  }
});

test('a role cannot make roles or databases, read the files of the server or become the superuser', async () => {
  await using own = await freshDatabase();
  const { superuser } = inject('postgres');
  for (const sql of [
    'CREATE ROLE x',
    'CREATE DATABASE x',
    `SELECT pg_read_file('PG_VERSION')`,
    `SET ROLE ${superuser}`,
  ]) {
    await expect(query(own.config, sql)).rejects.toMatchObject({ code: '42501' });
  }
});

test('a role with a wrong password is refused', async () => {
  await using own = await freshDatabase();
  await expect(query({ ...own.config, password: 'wrong' }, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
});

test('the URL reaches the same database as the configuration', async () => {
  await using own = await freshDatabase();
  const sql = 'SELECT current_database() AS database, current_user AS role';
  const expected = [{ database: own.database, role: own.role }];
  expect(await query(own.config, sql)).toEqual(expected);
  expect(await query({ connectionString: own.url }, sql)).toEqual(expected);
});

test('the URL escapes what a password may hold', async () => {
  const server = inject('postgres');
  const account = { database: 'odd_password', role: 'odd_password', password: `p@:/?#%&+'"\\$1` };
  await createDatabase(server, account);
  const rows = await query({ connectionString: connectionString(server, account) }, 'SELECT 1 AS one');
  await dropDatabase(server, account);
  expect(rows).toEqual([{ one: 1 }]);
});

test('creating a database again, even at the same time, keeps its rows and sets the password', async () => {
  const server = inject('postgres');
  const first = { database: 'again', role: 'again', password: 'first' };
  const second = { ...first, password: 'second' };
  await Promise.all([createDatabase(server, first), createDatabase(server, first), createDatabase(server, first)]);
  await query(connectionConfig(server, first), 'CREATE TABLE t AS SELECT 1 AS one');
  await createDatabase(server, second);
  expect(await query(connectionConfig(server, second), 'SELECT one FROM t')).toEqual([{ one: 1 }]);
  await expect(query(connectionConfig(server, first), 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
  await dropDatabase(server, first);
  await dropDatabase(server, first);
});

test('a database is never handed to another role', async () => {
  const server = inject('postgres');
  await using own = await freshDatabase();
  const attempt = createDatabase(server, { database: own.database, role: 'intruder', password: 'p' });
  await expect(attempt).rejects.toMatchObject({ code: 'ERR_POSTGRES_DATABASE_TAKEN' });
  await ask(server, 'DROP ROLE intruder');
});

test('names that need quoting, that PostgreSQL uses itself, or that are too long are refused', async () => {
  const server = inject('postgres');
  const names = [
    '',
    'Ada',
    '1st',
    'a-b',
    'a"; DROP ROLE x; --',
    'pg_x',
    'postgres',
    'template1',
    server.superuser,
    'a'.repeat(64),
  ];
  for (const name of names) {
    const asRole = createDatabase(server, { database: 'fine', role: name, password: 'p' });
    await expect(asRole).rejects.toMatchObject({ code: 'ERR_POSTGRES_NAME_INVALID' });
    const asDatabase = createDatabase(server, { database: name, role: 'fine', password: 'p' });
    await expect(asDatabase).rejects.toMatchObject({ code: 'ERR_POSTGRES_NAME_INVALID' });
  }
});

test('an empty password or one beyond printable ASCII is refused', async () => {
  for (const password of ['', 'ünïcode', 'a b', 'line\nbreak']) {
    const attempt = createDatabase(inject('postgres'), { database: 'fine', role: 'fine', password });
    await expect(attempt).rejects.toMatchObject({ code: 'ERR_POSTGRES_PASSWORD_INVALID' });
  }
});

test('the verifier is the one PostgreSQL makes itself', async () => {
  const server = inject('postgres');
  await ask(server, `CREATE ROLE twin PASSWORD 'pencil'`);
  const [row] = await ask<{ rolpassword: string }>(server, `SELECT rolpassword FROM pg_authid WHERE rolname = 'twin'`);
  await ask(server, 'DROP ROLE twin');
  const salt = /^SCRAM-SHA-256\$4096:([^$]+)\$/.exec(row?.rolpassword ?? '')?.[1] ?? '';
  expect(await scramVerifier('pencil', Buffer.from(salt, 'base64'))).toBe(row?.rolpassword);
});

test('a disposed database is gone with its role, even when a connection was left open', async () => {
  const server = inject('postgres');
  const own = await freshDatabase();
  const left = new Client(own.config);
  left.on('error', () => undefined);
  await left.connect();
  await own[Symbol.asyncDispose]();
  await left.end().catch(() => undefined);
  const rows = await ask(
    server,
    `SELECT 1 FROM pg_database WHERE datname = '${own.database}' UNION ALL SELECT 1 FROM pg_roles WHERE rolname = '${own.role}'`,
  );
  expect(rows).toEqual([]);
});

const query = async (config: object, sql: string): Promise<unknown[]> => {
  const client = new Client(config);
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query(sql)).rows;
  } finally {
    await client.end().catch(() => undefined);
  }
};
