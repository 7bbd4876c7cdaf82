/** The house: one data folder through a first start, restarts, crashes and refusals, run as the program people run. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import {
  areFree,
  endAll,
  eventually,
  type House,
  launch,
  lives,
  nothingLeft,
  processBelow,
  run,
  temporaryFolder,
} from '../support/program.ts';

const BASE = 5220;
const SERVING = /Sealpost is serving/;
const folder = temporaryFolder();
/** Far longer than a socket's address may be. */
const data = join(folder.path, 'a-folder-with-quite-a-long-name'.repeat(2), 'and-another-one', 'data');
const start = (...more: string[]) => launch(['start', '--data', data, '--port-base', String(BASE), ...more]);
const control = `http://127.0.0.1:${BASE}`;
const answers = (port: number, path = '/readyz') =>
  eventually(
    () =>
      fetch(`http://127.0.0.1:${port}${path}`).then(
        ({ status }) => (status === 200 ? true : undefined),
        () => undefined,
      ),
    `answer on port ${port}`,
  );

let house: House;
let before: Awaited<ReturnType<typeof facts>>;

beforeAll(async () => {
  house = start();
  await house.says(SERVING, 120_000);
}, 130_000);
afterAll(async () => {
  await endAll();
  folder.remove();
}, 60_000);

test('a start with a very deep data folder works, because sockets lie in a short one', () => {
  expect(Buffer.byteLength(join(data, '.s.PGSQL.5432'))).toBeGreaterThan(107);
  expect(databaseOf('control').host.length).toBeLessThan(60);
});

test('the first start tells the story and says so in its folder', () => {
  expect(house.text()).toMatch(/Act three/);
  expect(existsSync(join(data, 'run/story-told'))).toBe(true);
});

test('format.json holds data format, PostgreSQL major and version', () => {
  expect(JSON.parse(readFileSync(join(data, 'format.json'), 'utf8'))).toEqual({
    format: 1,
    postgres: 18,
    version: '0.1.0',
  });
});

test('each start prints where the wrapping keys come from and what that does not protect against', () => {
  saysWhereKeysComeFrom();
});

test('roles use scram with generated passwords and a wrong one is refused', async () => {
  await expect(asRole('control', 'sealpost_control', 'select 1', 'a wrong password')).rejects.toMatchObject({
    code: '28P01',
  });
  const superuser = { password: readFileSync(join(data, 'postgres-superuser'), 'utf8').trim() };
  const client = new pg.Client({
    ...databaseOf('control'),
    user: 'sealpost_superuser',
    database: 'postgres',
    ...superuser,
  });
  await client.connect();
  const { rows } = await client.query<{ rolpassword: string | null }>(
    "select rolpassword from pg_authid where rolname like 'sealpost_%'",
  );
  await client.end();
  expect(rows).toHaveLength(4);
  for (const { rolpassword } of rows) expect(rolpassword).toMatch(/^SCRAM-SHA-256\$/);
});

test('control’s role cannot connect to the gateway’s database, nor the gateway’s to control’s', async () => {
  await expect(asRole('control', 'sealpost_gateway', 'select 1')).rejects.toMatchObject({ code: '42501' });
  await expect(asRole('gateway', 'sealpost_control', 'select 1')).rejects.toMatchObject({ code: '42501' });
});

test('the dispatcher’s role reads neither envelopes nor lane events', async () => {
  await expect(asRole('dispatcher', 'sealpost_gateway', 'select 1')).resolves.toHaveLength(1);
  for (const table of ['envelope', 'lane_event'])
    await expect(asRole('dispatcher', 'sealpost_gateway', `select 1 from ${table}`)).rejects.toMatchObject({
      code: '42501',
    });
});

test('the operator’s folder is outside every server’s data and no server’s configuration names it', () => {
  for (const name of ['control', 'gateway', 'dispatcher', 'simulator']) {
    expect(readFileSync(join(data, 'run', `${name}.yaml`), 'utf8')).not.toContain(join(data, 'operator'));
    expect(existsSync(join(data, name, 'operator'))).toBe(false);
  }
  const named = (name: string) => readFileSync(join(data, 'run', `${name}.yaml`), 'utf8');
  for (const other of ['gateway', 'dispatcher']) expect(named('control')).not.toContain(join(data, other));
  for (const other of ['control', 'dispatcher']) expect(named('gateway')).not.toContain(join(data, other));
});

test('keys, passwords and configurations are readable by their owner alone', () => {
  const secrets = [
    'postgres-superuser',
    ...['operator', 'control', 'gateway', 'dispatcher'].flatMap((zone) => [
      `${zone}/kek`,
      ...readdirSync(join(data, zone, 'keys')).map((key) => `${zone}/keys/${key}`),
    ]),
    ...['control', 'gateway', 'dispatcher'].flatMap((zone) => [`${zone}/database-password`, `${zone}/tls/key.pem`]),
    ...['control', 'gateway', 'dispatcher', 'simulator'].map((name) => `run/${name}.yaml`),
    ...readdirSync(join(data, 'dispatcher/providers')).map((name) => `dispatcher/providers/${name}`),
  ];
  for (const secret of secrets) expect([secret, modeOf(secret)]).toEqual([secret, 0o600]);
  for (const zone of ['operator/keys', 'control', 'gateway', 'dispatcher', 'simulator', 'run', 'logs'])
    expect([zone, modeOf(zone)]).toEqual([zone, 0o700]);
});

test('control’s page opened from elsewhere over plain HTTP says what to do about the missing secure context', async () => {
  const page = async (host: string) => {
    const { request } = await import('node:http');
    return new Promise<string>((done, failed) => {
      request({ port: BASE, host: '127.0.0.1', path: '/', headers: { host } }, (response) => {
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => done(text));
      })
        .on('error', failed)
        .end();
    });
  };
  const elsewhere = await page(`192.0.2.7:${BASE}`);
  expect(elsewhere).toMatch(/not a secure context/);
  expect(elsewhere).toMatch(/ssh -L/);
  expect(await page(`localhost:${BASE}`)).not.toMatch(/not a secure context/);
});

test('a second start on the folder is refused, naming the process that has it', async () => {
  const { code, stderr } = await run(['start', '--data', data, '--port-base', String(BASE + 10)]);
  expect(stderr).toMatch(/ERR_START_LOCKED/);
  const holder = Number(/held by process (\d+)/.exec(stderr)?.[1]);
  expect(house.processes()).toContain(holder);
  expect(code).toBe(4);
});

test('a taken port is named with its process, and nothing is left behind', async () => {
  const other = join(folder.path, 'other/data');
  const { code, stderr } = await run(['start', '--data', other, '--port-base', String(BASE)]);
  expect(stderr).toMatch(/ERR_START_PORT/);
  expect(stderr).toMatch(new RegExp(`port ${BASE} \\(control\\) is taken by process \\d+ \\(.+\\)`));
  const owner = Number(/\(control\) is taken by process (\d+)/.exec(stderr)?.[1]);
  expect(house.processes()).toContain(owner);
  expect(code).toBe(4);
  expect(existsSync(join(folder.path, 'other'))).toBe(false);
});

test('a service killed with SIGKILL is started again and the system answers again', async () => {
  for (const [name, port] of [
    ['control', BASE],
    ['gateway', BASE + 1],
  ] as const) {
    const victim = serviceOf(name);
    process.kill(victim, 'SIGKILL');
    await eventually(() => (serviceOf(name) === victim ? undefined : true), `another ${name}`);
    await answers(port);
    expect(house.text()).toMatch(new RegExp(`${name} ended unexpectedly and is started again`));
  }
});

test('PostgreSQL killed with SIGKILL is started again and the system answers again', async () => {
  const victim = processBelow(house.pid, 'sealpost.owner') ?? 0;
  process.kill(victim, 'SIGKILL');
  await house.says(/PostgreSQL ended unexpectedly and is started again/);
  await eventually(() => processBelow(house.pid, 'sealpost.owner'), 'another PostgreSQL');
  for (const port of [BASE, BASE + 1]) await answers(port);
  await eventually(async () => (await facts().catch(() => undefined)) && true, 'rows');
});

test('Ctrl-C stops everything, PostgreSQL included, with exit code 0', async () => {
  before = await facts();
  const pids = house.processes();
  expect(pids.length).toBeGreaterThan(6);
  house.signal('SIGINT', 'group');
  expect((await house.ended).code).toBe(0);
  await allGone(pids);
  expect(existsSync(join(data, 'lock'))).toBe(false);
});

test('a second start continues with the data of the first, repeats the remarks and not the story', async () => {
  house = start();
  await house.says(SERVING);
  expect(house.text()).not.toMatch(/Act one/);
  saysWhereKeysComeFrom();
  await answers(BASE);
  const after = await facts();
  expect({ ...after, log: before.log }).toEqual(before);
  expect(after.log).toBeGreaterThanOrEqual(before.log);
});

test('a parent killed with SIGKILL leaves no orphan', async () => {
  const pids = house.processes();
  house.signal('SIGKILL');
  await house.ended;
  await allGone(pids);
});

test('a start killed with SIGKILL itself leaves no orphan, and the next one takes over its stale lock', async () => {
  house = start('--json');
  await house.says(/"serving":true/);
  expect(house.stdout().trimEnd().split('\n')).toHaveLength(1);
  const pids = house.processes();
  process.kill(processBelow(house.pid, 'src/main.ts') ?? 0, 'SIGKILL');
  expect((await house.ended).code).not.toBe(0);
  await allGone(pids);
  expect(existsSync(join(data, 'lock'))).toBe(true);
});

test('a changed trust file keeps the services from starting, by name, and nothing stays running', async () => {
  const file = join(data, 'gateway/trust.jws');
  const original = readFileSync(file, 'utf8');
  const [head = '', body = '', seal = ''] = original.split('.');
  writeFileSync(file, `${head}.${body.replace(/^.{40}/, (text) => text.split('').reverse().join(''))}.${seal}`);
  house = start();
  const pids = await eventually(
    () => (house.text().includes('starting gateway') ? house.processes() : undefined),
    'services',
  );
  const { code, stderr } = await house.ended;
  expect(stderr).toMatch(/ERR_START_SERVICE/);
  expect(stderr).toMatch(/gateway ERR_TRUST_REFUSED/);
  expect(code).toBe(5);
  await allGone(pids);
  expect(existsSync(join(data, 'lock'))).toBe(false);
  writeFileSync(file, original);
});

test('after all that --story tells it again, and SIGTERM in the middle of it stops everything with exit code 0', async () => {
  house = start('--story');
  await house.says(/Act one/);
  const pids = house.processes();
  house.signal('SIGTERM');
  expect((await house.ended).code).toBe(0);
  await allGone(pids);
  expect(existsSync(join(data, 'lock'))).toBe(false);
});

test('SIGTERM while PostgreSQL comes up for the first time ends the start with exit code 0 and leaves no process', async () => {
  const fresh = join(folder.path, 'fresh/data');
  mkdirSync(join(folder.path, 'fresh'), { mode: 0o711 });
  house = launch(['start', '--data', fresh, '--port-base', String(BASE)]);
  await house.says(/starting PostgreSQL/);
  const pids = house.processes();
  house.signal('SIGTERM');
  expect((await house.ended).code).toBe(0);
  await allGone(pids);
  expect(existsSync(join(fresh, 'lock'))).toBe(false);
});

async function allGone(pids: readonly number[]): Promise<void> {
  await nothingLeft(pids);
  expect(pids.filter(lives)).toEqual([]);
  expect(await areFree(BASE)).toBe(true);
}

function saysWhereKeysComeFrom(): void {
  expect(house.text()).toMatch(/wrapped by the files named in keys\.kek_file/);
  expect(house.text()).toMatch(/neither against a copy of this disk nor against this machine’s administrator/);
}

function serviceOf(name: string): number {
  return processBelow(house.pid, `--config ${join(data, 'run', `${name}.yaml`)}`) ?? 0;
}

function modeOf(path: string): number {
  return statSync(join(data, path)).mode & 0o777;
}

interface DatabaseOptions {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password_file: string;
}

function databaseOf(zone: string): DatabaseOptions {
  return (parse(readFileSync(join(data, 'run', `${zone}.yaml`), 'utf8')) as { database: DatabaseOptions }).database;
}

async function asRole(zone: string, database: string, sql: string, password?: string): Promise<unknown[]> {
  const { password_file, ...own } = databaseOf(zone);
  const client = new pg.Client({ ...own, database, password: password ?? readFileSync(password_file, 'utf8') });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query(sql)).rows;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** What must be the same after a restart; the log may have grown by what was under way. */
async function facts() {
  const trust = await (await fetch(`${control}/v1/trust`)).text();
  const [member] = (await asRole('control', 'sealpost_control', 'select count(*)::int as n from member')) as {
    n: number;
  }[];
  const [log] = (await asRole('gateway', 'sealpost_gateway', 'select size::int as n from log_state')) as {
    n: number;
  }[];
  const [bundle] = (await asRole('control', 'sealpost_control', 'select max(version)::text as v from bundle')) as {
    v: string;
  }[];
  return {
    trust,
    root: readFileSync(join(data, 'control/root.pem'), 'utf8'),
    member: member?.n,
    log: log?.n ?? 0,
    bundle: bundle?.v,
  };
}
