/**
 * From the embedded PostgreSQL to a server of one's own, by the documented way: stop, back up, prepare, restore, start. The
 * other server is a real one of its own, reached over TCP.
 */

import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningPostgres, startPostgres } from '../../packages/cli/src/postgres/index.ts';
import { type RunningSealpost, startSealpost } from '../../packages/cli/src/start/start.ts';
import { cli } from '../support/run-cli.ts';
import { openHouse, type RunningHouse } from '../support/running-house.ts';
import { until } from '../support/until.ts';

const [PORTS, SERVER_PORT] = [7220, 7239];
const PATIENCE = 180_000;

let house: RunningHouse;
let server: RunningPostgres;
let entrance: Server;
let moved: RunningSealpost | undefined;
const inFolder = (name: string) => join(house.folder, name);

beforeAll(async () => {
  house = await openHouse(PORTS);
  server = await startPostgres({ dataDir: inFolder('server/cluster'), unsafeNoFsync: true });
  entrance = await listenFor(server);
}, PATIENCE);
afterAll(async () => {
  await moved?.stop();
  entrance?.close();
  await house?.close().finally(() => server?.stop());
});

test(
  'a house moves to a server of its own, keeps its people, devices and log, and has no embedded PostgreSQL any more',
  async () => {
    const stage = await house.stage();
    await stage.phone.connect();
    const before = await stage.sendAlert('DiskFull', 'firing');
    await until('the first alert', async () =>
      (await stage.phone.inbox()).some(({ message }) => message === before.message),
    );
    const [data, operator, url] = [inFolder('moved'), house.sealpost.operator, `postgresql://127.0.0.1:${SERVER_PORT}`];
    await done(
      'log',
      'export',
      '--out',
      inFolder('before.jsonl'),
      '--operator',
      operator,
      '--control',
      house.urls.control,
    );
    await stage.phone.disconnect();
    await house.sealpost.stop();

    await done('backup', 'key-create', inFolder('key'));
    const { backups } = await done(
      'backup',
      'create',
      '--data',
      house.sealpost.folder.path,
      '--to',
      inFolder('key.pub'),
      '--out',
      inFolder('backups'),
    );
    await writeFile(inFolder('admin'), server.superuserPassword, { mode: 0o600 });
    const admin = ['--admin-user', server.superuser, '--admin-password-file', inFolder('admin')];
    expect(
      await cli('database', 'prepare', '--data', house.sealpost.folder.path, '--url', url, ...admin, '--json'),
    ).toMatchObject({ exit: 4, json: { code: 'ERR_START_DATABASE_TAKEN' } });
    await done('database', 'prepare', '--data', data, '--url', url, ...admin);
    const files = (backups as { out: string }[]).map(({ out }) => out);
    const rest = [
      '--key',
      inFolder('key'),
      '--operator',
      operator,
      '--data',
      data,
      '--checkpoint',
      inFolder('before.jsonl'),
    ];
    await done('backup', 'restore', ...files, ...rest);

    const options = {
      data,
      operator,
      portBase: PORTS,
      organisation: 'acme.example',
      version: '0.1.0',
      logLevel: 'info',
    };
    moved = await startSealpost(options, house.surroundings, () => undefined);
    expect(moved.pid('postgres')).toBeUndefined();
    expect(existsSync(join(data, 'postgres'))).toBe(false);
    expect(await readFile(join(data, 'run/control.yaml'), 'utf8')).toContain(
      `url: postgresql://sealpost_control@127.0.0.1:${SERVER_PORT}/sealpost_control`,
    );
    await stage.phone.connect();
    const { message } = await stage.sendAlert('ReplicaLag', 'firing');
    await until('the alert after the move', async () =>
      (await stage.phone.inbox()).some((entry) => entry.message === message && entry.state !== 'unreadable'),
    );
    await done(
      'log',
      'export',
      '--out',
      inFolder('after.jsonl'),
      '--operator',
      operator,
      '--control',
      house.urls.control,
    );
    await done('log', 'verify', inFolder('after.jsonl'), '--operator', operator);
    expect(await readFile(inFolder('after.jsonl'), 'utf8')).toContain(before.message);
  },
  PATIENCE,
);

async function done(...args: string[]) {
  const result = await cli(...args, '--json');
  expect({ args, ...result }).toMatchObject({ args, exit: 0 });
  return result.json;
}

/** The embedded server listens on its socket alone; to its clients this is a server on the network. */
function listenFor({ socketDir, port }: RunningPostgres): Promise<Server> {
  return new Promise((resolve, reject) => {
    const listening = createServer((client) => {
      const inner = connect(join(socketDir, `.s.PGSQL.${port}`));
      client.pipe(inner).pipe(client);
      client.on('error', () => inner.destroy());
      inner.on('error', () => client.destroy());
    });
    listening.once('error', reject);
    listening.listen(SERVER_PORT, '127.0.0.1', () => resolve(listening));
  });
}
