/** A support bundle is of use, and holds nothing of anybody: searched for everything the house knows of alice. */
import { spawnSync } from 'node:child_process';
import { appendFile, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStore } from '../../packages/cli/src/bootstrap/bootstrap.ts';
import { ALICE_PHONE, type Stage } from '../../packages/cli/src/story/stage.ts';
import { cli } from '../support/run-cli.ts';
import { openHouse, type RunningHouse } from '../support/running-house.ts';
import { until } from '../support/until.ts';

const PORTS = 7270;
const PATIENCE = 120_000;
let house: RunningHouse;
let stage: Stage;
const inFolder = (name: string) => join(house.folder, name);

beforeAll(async () => {
  house = await openHouse(PORTS);
  stage = await house.stage();
  await stage.phone.connect();
  const { message } = await stage.sendAlert('DiskFull', 'firing');
  await until('the alert', async () => (await stage.phone.inbox()).some((entry) => entry.message === message));
}, PATIENCE);
afterAll(() => house?.close());

test(
  'the bundle of a running house tells versions, services, tables, backlogs and logs in files that tar lists',
  async () => {
    const bundle = await make('running');
    expect([...bundle.keys()].sort()).toEqual(
      expect.arrayContaining([
        'README.txt',
        'about.json',
        'config/gateway.yaml',
        'databases.json',
        'doctor.json',
        'logs/control.jsonl',
        'services.json',
      ]),
    );
    expect(JSON.parse(bundle.get('services.json')!)).toMatchObject({
      control: { livez: 200, readyz: 200 },
      gateway: { readyz: 200 },
    });
    const { control, gateway } = JSON.parse(bundle.get('databases.json')!);
    expect(control).toMatchObject({
      state: 'reachable',
      tables: expect.arrayContaining([expect.objectContaining({ name: 'member', rows: 1 })]),
    });
    expect(gateway).toMatchObject({
      lanes: { undecided: expect.any(Number) },
      checkpoint: { ageMs: expect.any(Number) },
      queues: { setAside: 0 },
    });
    expect(bundle.get('logs/control.jsonl')).toContain('"event":"listening"');
  },
  PATIENCE,
);

test(
  'nothing of a person, a message or a secret is in it, not even where a log or a configuration held some',
  async () => {
    const logs = house.sealpost.folder.zone('logs');
    const leak = {
      level: 30,
      event: 'a line that says too much',
      phone: ALICE_PHONE,
      content: 'DiskFull',
      path: '/v1/members/alice',
    };
    await appendFile(join(logs, 'control.log'), `${JSON.stringify(leak)}\nError: alice@acme.example was not found\n`);
    await appendFile(
      join(logs, 'control.log'),
      `${JSON.stringify({ event: 'sent', reason: `${ALICE_PHONE} dev_abcdefgh` })}\n`,
    );
    await appendFile(join(logs, 'control.log'), `${JSON.stringify({ event: 'PLANTED-MARKER' })}\n`);
    await appendFile(join(house.sealpost.folder.zone('run'), 'dispatcher.yaml'), 'source_address: 4915112345678\n');
    const text = [...(await make('searched')).values()].join('\n');
    expect(text, 'what is put into a field that stays is found').toContain('PLANTED-MARKER');
    for (const [what, marker] of await markers())
      expect(text.toLowerCase().includes(marker.toLowerCase()), what).toBe(false);
  },
  PATIENCE,
);

test(
  'a bundle can be made of a house whose services and database are down, and of none at all',
  async () => {
    await stage.phone.disconnect();
    await house.sealpost.stop();
    const down = await make('down');
    expect(JSON.parse(down.get('services.json')!)).toMatchObject({ control: { livez: 'no answer' } });
    expect(JSON.parse(down.get('databases.json')!)).toMatchObject({ gateway: { state: 'unreachable' } });
    expect(down.get('logs/gateway.jsonl')).toContain('"event":');
    const none = await make('none', inFolder('nothing'));
    expect(JSON.parse(none.get('databases.json')!)).toMatchObject({
      control: { unavailable: 'ERR_CONFIG_UNREADABLE' },
    });
  },
  PATIENCE,
);

/** As whoever gets it would: unpacked by tar. */
async function make(name: string, data = house.sealpost.folder.path): Promise<Map<string, string>> {
  const out = inFolder(`${name}.tar.gz`);
  const made = await cli('support', '--out', out, '--data', data, '--port-base', String(PORTS), '--json');
  expect(made).toMatchObject({ exit: 0, json: { ok: true } });
  const tar = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync('tar', args, { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    return stdout;
  };
  const names = tar('-tzf', out).trim().split('\n');
  return new Map(names.map((file) => [file, tar('-xzOf', out, file)]));
}

async function markers(): Promise<[string, string][]> {
  const { databases, sealpost } = house;
  const members = await databases.control.query<{ member: string }>('members', 'SELECT member FROM member', []);
  const groups = await databases.control.query<{ conversation: string }>(
    'groups',
    'SELECT conversation FROM agent_group',
    [],
  );
  const senders = await databases.control.query<{ sender: string }>('senders', 'SELECT sender FROM alert_sender', []);
  const messages = await databases.control.query<{ message: string }>(
    'messages',
    'SELECT message FROM message_request',
    [],
  );
  const passwords = ['control', 'gateway', 'dispatcher'] as const;
  const providers = join(sealpost.folder.zone('dispatcher'), 'providers');
  const store = openStore(sealpost.folder.zone('control'));
  return [
    ['name', 'Alice'],
    ['surname', 'Anders'],
    ['number', ALICE_PHONE.slice(1)],
    ['content', 'DiskFull'],
    ['more content', 'data volume'],
    ['phone’s id', stage.phone.identity.device],
    ['laptop’s id', stage.laptop.identity.device],
    ...members.map(({ member }): [string, string] => ['member', member]),
    ...groups.map(({ conversation }): [string, string] => ['conversation', conversation]),
    ...senders.map(({ sender }): [string, string] => ['sender', sender]),
    ...messages.map(({ message }): [string, string] => ['message', message]),
    ...(await Promise.all(
      passwords.map(
        async (zone): Promise<[string, string]> => [
          `password of ${zone}`,
          await readFile(join(sealpost.folder.zone(zone), 'database-password'), 'utf8'),
        ],
      ),
    )),
    ...(await Promise.all(
      (
        await readdir(providers)
      )
        .filter((file) => !file.endsWith('.json'))
        .map(async (file): Promise<[string, string]> => [file, await readFile(join(providers, file), 'utf8')]),
    )),
    ['storage key', Buffer.from(store.readSecret('storage')).toString('base64')],
    ['private keys', '"d":'],
    ['PEM', 'PRIVATE KEY'],
  ];
}
