/** `database.url`: one option for a server of one's own, which never holds a password and never encrypts to a stranger. */
import { expect, test } from 'vitest';
import { databaseConfigSchema } from '../src/index.ts';

const read = (url: string, more = {}) => databaseConfigSchema.safeParse({ url, password_file: '/p', ...more });

test('a URL names role, host, port and database, and off this machine its certificate is verified unasked', () => {
  expect(read('postgresql://role@db.acme.example/sealpost').data).toEqual({
    host: 'db.acme.example',
    port: 5432,
    database: 'sealpost',
    user: 'role',
    password_file: '/p',
    pool: 10,
    tls: { server: 'db.acme.example' },
  });
  expect(read('postgresql://r@10.0.0.5:6432/d?sslmode=verify-full&sslrootcert=/ca.pem').data).toMatchObject({
    port: 6432,
    tls: { server: '10.0.0.5', ca_file: '/ca.pem' },
  });
});

test('on this machine, over loopback or a socket, there is no TLS unless it is asked for', () => {
  for (const url of [
    'postgresql://r@127.0.0.1/d',
    'postgresql://r@[::1]:5432/d?sslmode=disable',
    'postgresql://r@%2Frun%2Fpg/d',
  ])
    expect(read(url).data, url).not.toHaveProperty('tls');
  expect(read('postgresql://r@%2Frun%2Fpg/d').data).toMatchObject({ host: '/run/pg' });
  expect(read('postgresql://r@localhost/d?sslmode=verify-full').data).toMatchObject({ tls: { server: 'localhost' } });
});

test('a password, a weaker TLS mode, an unknown parameter and a half URL are refused, and no refusal repeats the URL', () => {
  for (const url of [
    'postgresql://r:hunter2@db/d',
    'postgresql://r@db/d?sslmode=disable',
    'postgresql://r@db/d?sslmode=require',
    'postgresql://r@db/d?password=hunter2',
    'postgresql://db/d',
    'postgresql://r@db',
    'https://r@db/d',
    'hunter2',
  ]) {
    const refused = read(url);
    expect(refused.success, url).toBe(false);
    expect(JSON.stringify(refused.error?.issues)).not.toContain('hunter2');
  }
});

test('a URL stands instead of the parts, and one of the two must be there', () => {
  for (const part of [{ host: 'h' }, { port: 5432 }, { database: 'd' }, { user: 'u' }])
    expect(read('postgresql://r@db/d', part).success).toBe(false);
  expect(databaseConfigSchema.safeParse({ password_file: '/p' }).success).toBe(false);
});
