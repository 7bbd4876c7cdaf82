import pg from 'pg';
import { expect, test } from 'vitest';
import { isUnavailable } from '../src/database.ts';

test('a request that outlives its process’s pool, as while it drains, meets a database that is away and no bug', async () => {
  const pool = new pg.Pool({ host: '127.0.0.1', port: 1 });
  await pool.end();
  const cause = await pool.query('SELECT 1').catch((error: unknown) => error);
  expect(isUnavailable(cause)).toBe(true);
});

test('an error of our own code is none of the database’s', () => {
  expect(isUnavailable(new TypeError('x is not a function'))).toBe(false);
});
