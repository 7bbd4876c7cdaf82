/** The story as a whole, told on a running system; its proof checked again with the command line; what carriers saw. */
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { ALICE_PHONE } from '../../packages/cli/src/story/stage.ts';
import { type StoryResult, tellStory } from '../../packages/cli/src/story/story.ts';
import { cli, startCli } from '../support/run-cli.ts';
import { openHouse, type RunningHouse } from '../support/running-house.ts';
import { until } from '../support/until.ts';

/** A demo on a busy machine; what it waits for is bounded by its own steps. */
const PATIENCE = 180_000;

const STEPS = [
  'bootstrap',
  'bundle',
  'member',
  'phone',
  'laptop',
  'alert-sender',
  'application',
  'one.online',
  'one.accepted',
  'one.received',
  'one.sender',
  'one.attachment',
  'one.read',
  'one.timeline',
  'two.offline',
  'two.accepted',
  'two.notice',
  'two.delivered',
  'two.opened',
  'three.offline',
  'three.accepted',
  'three.rcs-failed',
  'three.sms',
  'three.receipt',
  'three.floor',
  'three.opened',
  'four.offline',
  'four.accepted',
  'four.moved',
  'four.kept',
  'four.back',
  'four.opened',
  'proof.export',
  'proof.verified',
  'proof.receipt',
  'proof.tampered',
];

let house: RunningHouse;
let story: StoryResult;
let exported: string;
const said: string[] = [];

beforeAll(async () => {
  house = await openHouse(6200);
  story = await tellStory(house.sealpost, house.manifests, house.surroundings, (text) => said.push(text));
  exported = join(house.folder, 'export.jsonl');
}, PATIENCE);
afterAll(() => house?.close());

test('the whole story happens, and every step of it is named and ok', () => {
  expect(story.failure).toBeUndefined();
  expect(story.steps).toEqual(STEPS.map((step) => ({ step, ok: true })));
  expect(story.ok).toBe(true);
});

test(
  'the demo ends with exit 0 and one JSON line that names each step with ok',
  async () => {
    const temporary = await openFolder();
    const { exit, json } = await startCli(['start', '--demo', '--json', '--port-base', '6210'], temporaryIn(temporary))
      .ended;
    expect({ exit, ...json }).toEqual({ exit: 0, ok: true, steps: STEPS.map((step) => ({ step, ok: true })) });
    expect(await readdir(temporary), 'its folder is gone').toEqual([]);
  },
  PATIENCE,
);

test(
  'a demo in which control dies ends non-zero and names the step that failed',
  async () => {
    const temporary = await openFolder();
    const demo = startCli(['start', '--demo', '--json', '--port-base', '6220'], temporaryIn(temporary));
    await until(
      'alice’s phone known to the carriers',
      () => fetchJson<unknown[]>('http://127.0.0.1:6224/phones').then((phones) => phones.length > 0),
      PATIENCE,
    );
    process.kill(await pidOf(temporary, 'control.yaml'), 'SIGKILL');
    const { exit, json, stderr } = await demo.ended;
    expect(exit).toBe(1);
    expect(json).toMatchObject({ ok: false, failed: expect.stringMatching(/^(one|two)\./) });
    const steps = json.steps as { step: string; ok: boolean; code?: string }[];
    expect(steps.at(-1)).toEqual({ step: json.failed, ok: false, code: expect.stringMatching(/^ERR_/) });
    expect(steps.slice(0, -1).every(({ ok }) => ok)).toBe(true);
    expect(stderr).toContain('sealpost: error:');
  },
  PATIENCE,
);

test('the exported log verifies on the command line, cosigned by control’s witness', async () => {
  const operator = house.sealpost.operator;
  const written = await cli(
    'log',
    'export',
    '--out',
    exported,
    '--operator',
    operator,
    '--control',
    house.urls.control,
    '--json',
  );
  expect(written).toMatchObject({ exit: 0, json: { ok: true } });
  const { exit, json } = await cli('log', 'verify', exported, '--operator', operator, '--json');
  expect(exit).toBe(0);
  expect(json).toMatchObject({ ok: true, cosignedBy: ['acme.example/control'], erased: 0 });
  expect(json.size).toBeGreaterThan(20);
});

test('in an outage the next rung carries the notice, the floor stays, and the facts said are those of the log', async () => {
  const events = await eventsIn(exported);
  const refused = events.filter(({ outcome }) => outcome === 'auth-broken');
  expect(refused, 'one try was refused for its credentials').toHaveLength(1);
  const timeline = events.filter(({ message }) => message === refused[0]!.message);
  const of = (kind: string) => timeline.filter((event) => event.kind === kind);
  expect(of('message.accepted').map(({ floor }) => floor)).toEqual(['e2ee']);
  const carriers = of('route.step').filter(({ adapter }) => adapter !== 'app');
  expect(carriers.map(({ channel, use, decision }) => [channel, use, decision])).toEqual([
    ['rcs-main', 'notice', 'taken'],
    ['sms-main', 'notice', 'taken'],
  ]);
  expect(of('attempt.ended').map(({ channel, outcome }) => [channel, outcome])).toEqual([
    ['rcs-main', 'auth-broken'],
    ['sms-main', 'accepted'],
  ]);
  const delivered = of('receipt.provider').find(({ status }) => status === 'delivered')!;
  const seconds = ((delivered.at - of('message.accepted')[0]!.at) / 1000).toFixed(1);
  const begins = said.findIndex((text) => text.includes('rcs-main (notice)'));
  expect(said.slice(begins, begins + 3).map((text) => text.trim())).toEqual([
    'rcs-main (notice): 1 try: auth-broken',
    `sms-main (notice): 1 try: accepted, delivered ${seconds} s after acceptance`,
    'floor e2ee: of 2 carriers none was given content',
  ]);
});

test('the gateway’s acceptance and a device’s read receipt are each proved to be in the exported log', async () => {
  const accepted = await house.databases.control.query<{ receipt: string }>(
    'accepted',
    'SELECT receipt FROM message_request ORDER BY stored_at',
    [],
  );
  expect(accepted).toHaveLength(5);
  const read = (await eventsIn(exported)).filter(
    ({ kind, receipt }) => kind === 'receipt.device' && receipt === 'read',
  );
  for (const [name, jws] of [
    ['accepted', accepted[0]!.receipt],
    ['read', read[0]!.jws],
  ]) {
    const file = join(house.folder, `${name}.jws`);
    await writeFile(file, `${jws}\n`);
    const { exit, json } = await cli(
      'log',
      'verify',
      exported,
      '--operator',
      house.sealpost.operator,
      '--receipt',
      file,
      '--json',
    );
    expect({ name, exit, ...json }).toMatchObject({
      name,
      exit: 0,
      ok: true,
      receipt: { position: expect.any(Number), proof: expect.any(Number) },
    });
  }
});

test('a receipt that is not in the log, and an export with one byte changed, end with exit 3 and the entry’s number', async () => {
  const operator = house.sealpost.operator;
  const lines = (await readFile(exported, 'utf8')).split('\n');
  const at = lines.findIndex((line) => line.includes('receipt.device'));
  const { position } = JSON.parse(lines[at]!) as { position: number };
  const bytes = await readFile(exported);
  const offset = Buffer.byteLength(lines.slice(0, at).join('\n')) + 1 + lines[at]!.indexOf('receipt.device');
  bytes[offset]! ^= 1;
  const tampered = join(house.folder, 'tampered.jsonl');
  await writeFile(tampered, bytes);
  const refused = await cli('log', 'verify', tampered, '--operator', operator, '--json');
  expect(refused).toMatchObject({
    exit: 3,
    json: { ok: false, entry: position, code: expect.stringMatching(/^ERR_/) },
  });
  const inWords = await cli('log', 'verify', tampered, '--operator', operator);
  expect(inWords.exit).toBe(3);
  expect(inWords.stdout).toContain(`entry ${position} `);

  const [receipt] = (await eventsIn(exported)).flatMap(({ jws }) => (jws === undefined ? [] : [jws]));
  const foreign = join(house.folder, 'foreign.jws');
  await writeFile(
    foreign,
    receipt!.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')),
  );
  expect(await cli('log', 'verify', exported, '--operator', operator, '--receipt', foreign, '--json')).toMatchObject({
    exit: 3,
  });
});

test('carriers saw that something waits, in exactly the flow’s words, and nothing of any alert', async () => {
  const traffic = await fetchJson<{ carrier: string; address?: string; text: string; raw: string }[]>(
    `${house.urls.carriers}/traffic`,
  );
  const toAlice = traffic.filter(({ address }) => address === ALICE_PHONE || address === ALICE_PHONE.slice(1));
  expect(new Set(toAlice.map(({ carrier }) => carrier))).toEqual(new Set(['rbm', 'smsc']));
  const everything = traffic
    .map(
      ({ text, raw }) =>
        `${text}\n${raw}\n${Buffer.from(/^[0-9a-f]+$/i.test(raw) ? raw : '', 'hex').toString('latin1')}`,
    )
    .join('\n');
  for (const word of [
    'DiskFull',
    'ReplicaLag',
    'CertificateExpiry',
    'DatabaseFailover',
    'BackupLate',
    'db1',
    'critical',
    'volume',
    'dashboard',
    'disk.png',
    'FIRING',
    'alice',
    'Alice',
  ])
    expect(everything.toLowerCase(), word).not.toContain(word.toLowerCase());
  const notice = 'An incident alert is waiting for you in Sealpost.';
  const link = `${house.urls.inbox}/`;
  const { messages } = await fetchJson<{ messages: { channel: string; text: string; url?: string | null }[] }>(
    `${house.urls.carriers}/phones/${encodeURIComponent(ALICE_PHONE)}`,
  );
  expect(
    messages.map(({ channel, text, url }) => ({
      channel,
      shown: text,
      link: url,
    })),
  ).toEqual([
    { channel: 'rcs', shown: notice, link },
    { channel: 'sms', shown: `${notice}\n${link}`, link },
    { channel: 'sms', shown: `${notice}\n${link}`, link },
    { channel: 'rcs', shown: notice, link },
  ]);
});

/** PostgreSQL, as another user, passes through it. */
async function openFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sealpost-scenario-'));
  await chmod(folder, 0o711);
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Where a demo makes its folder. */
const temporaryIn = (folder: string) => ({ TMPDIR: folder });

async function fetchJson<T>(url: string): Promise<T> {
  return (await (await fetch(url)).json()) as T;
}

type Recorded = { kind: string; at: number } & Partial<
  Record<
    'message' | 'channel' | 'adapter' | 'use' | 'decision' | 'outcome' | 'floor' | 'status' | 'receipt' | 'jws',
    string
  >
>;

async function eventsIn(file: string): Promise<Recorded[]> {
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line.includes('"record"'));
  return lines.map((line) => JSON.parse((JSON.parse(line) as { record: string }).record));
}

/** The process that was given this configuration, below this folder (proc(5)). */
async function pidOf(folder: string, configuration: string): Promise<number> {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
    if (command.some((word) => word.startsWith(folder) && word.endsWith(`/run/${configuration}`))) return Number(pid);
  }
  throw new Error(`no process runs ${configuration} of ${folder}`);
}
