/** Recipients are believed only as far as control can prove them: each lie of the gateway is refused before anything is sealed. */
import { type DirectoryAnswer, type Evidence, SealpostError } from '@sealpost/protocol';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { enrolDevice } from './device.ts';
import { createEstate, type Estate } from './estate.ts';
import { ALICE, applyBundle, type ControlProcess, registerMember, startProcess } from './process.ts';

const AGENT = 'acme-incidents' as never;
const BOB = 'bob' as typeof ALICE;
let estate: Estate;
let control: ControlProcess;
let answer: DirectoryAnswer;
const codeOf = (error: unknown) => (error instanceof SealpostError ? error.code : String(error));

beforeAll(async () => {
  estate = await createEstate();
  control = await startProcess(estate);
  await applyBundle(estate, control, 1);
  await registerMember(control);
  for (const device of [await enrolDevice(estate, control), await enrolDevice(estate, control)]) await device.upload(2);
  await control.agents.resolve(ALICE);
  answer = await control.client.directory(ALICE);
});
afterAll(async () => {
  await control[Symbol.asyncDispose]();
  await estate[Symbol.asyncDispose]();
});
beforeEach(() => {
  for (const name of Object.keys(control.faults)) delete control.faults[name as keyof typeof control.faults];
});

const evidence = (change: (each: Evidence) => Partial<Evidence>): DirectoryAnswer => ({
  entries: answer.entries.map((each) => ({
    ...each,
    evidence: each.evidence && { ...each.evidence, ...change(each.evidence) },
  })),
});
const flipped = (text: string, at: number) =>
  `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;
const lies: readonly (readonly [string, () => DirectoryAnswer, string])[] = [
  [
    'an entry with one letter changed',
    () => ({ entries: answer.entries.map((each) => ({ ...each, entry: flipped(each.entry, 300) })) }),
    'ERR_AGENTS_DIRECTORY',
  ],
  ['a chain without its first entry', () => ({ entries: answer.entries.slice(1) }), 'ERR_AGENTS_DIRECTORY'],
  ['entries in another order', () => ({ entries: [...answer.entries].reverse() }), 'ERR_AGENTS_DIRECTORY'],
  [
    'a record with one letter changed',
    () => evidence(({ record }) => ({ record: record.replace('enrolled', 'revoked') })),
    'ERR_AGENTS_EVIDENCE',
  ],
  ['a record that is no JSON', () => evidence(() => ({ record: 'no json' })), 'ERR_AGENTS_EVIDENCE'],
  ['another salt', () => evidence(({ salt }) => ({ salt: flipped(salt, 3) })), 'ERR_AGENTS_EVIDENCE'],
  ['another leaf', () => evidence(({ leaf }) => ({ leaf: flipped(leaf, 40) })), 'ERR_AGENTS_EVIDENCE'],
  ['another position', () => evidence(({ position }) => ({ position: position + 1 })), 'ERR_AGENTS_EVIDENCE'],
  ['a path cut short', () => evidence(({ path }) => ({ path: path.slice(1) })), 'ERR_AGENTS_EVIDENCE'],
  [
    'a path with another hash',
    () => evidence(({ path }) => ({ path: path.map((hash) => flipped(hash, 0)) })),
    'ERR_AGENTS_EVIDENCE',
  ],
  ['another size than the checkpoint', () => evidence(({ size }) => ({ size: size + 1 })), 'ERR_AGENTS_EVIDENCE'],
  [
    'a checkpoint with a changed signature',
    () => evidence(({ checkpoint }) => ({ checkpoint: flipped(checkpoint, checkpoint.length - 20) })),
    'ERR_AGENTS_EVIDENCE',
  ],
  [
    'the proof of another entry',
    () => ({ entries: answer.entries.map((each) => ({ ...each, evidence: answer.entries[0]!.evidence })) }),
    'ERR_AGENTS_EVIDENCE',
  ],
];

test.each(lies)('%s is refused and nothing is made', async (_lie, told, code) => {
  control.faults.directory = async () => told();
  expect(await control.agents.conversationFor(AGENT, ALICE).catch(codeOf)).toBe(code);
  expect(await control.database.query('test-groups', 'SELECT 1 FROM agent_group')).toEqual([]);
});

test('a chain that leaves out the newest change control made is refused, valid as it is', async () => {
  control.faults.directory = async () => ({ entries: answer.entries.slice(0, -1) });
  await expect(control.agents.resolve(ALICE)).rejects.toMatchObject({
    code: 'ERR_AGENTS_DIRECTORY',
    details: [{ pointer: '/entries', detail: 'cut short' }],
  });
});

test('an approval of somebody the trust file does not name is refused', async () => {
  const { createAgents } = await import('../../src/modules/agents/index.ts');
  const other = { ...estate.trust, approvers: estate.trust.operators };
  const { database, client: gateway, enrollment } = control;
  const logger = { debug() {}, info() {}, warn() {}, error() {} };
  const agents = createAgents({
    database,
    gateway,
    enrollment,
    keys: estate.keys,
    trust: other,
    surroundings: estate.surroundings,
    logger,
  });
  await expect(agents.resolve(ALICE)).rejects.toMatchObject({
    code: 'ERR_AGENTS_DIRECTORY',
    details: [{ pointer: '/entries/0', detail: 'approval' }],
  });
});

test('an entry that is not in the log yet is waited for', async () => {
  let asked = 0;
  control.faults.directory = async () =>
    ++asked < 3 ? { entries: answer.entries.map((each) => ({ ...each, evidence: null })) } : answer;
  expect(await control.agents.resolve(ALICE)).toHaveLength(2);
  expect(asked).toBe(3);
});

test('an entry that never comes into the log is refused in bounded time', async () => {
  control.faults.directory = async () => ({ entries: answer.entries.map((each) => ({ ...each, evidence: null })) });
  await expect(control.agents.resolve(ALICE)).rejects.toMatchObject({
    code: 'ERR_AGENTS_UNSEQUENCED',
    kind: 'unavailable',
    retryAfter: 2,
  });
});

test('a checkpoint that a larger one followed more than five minutes ago is stale', async () => {
  await registerMember(control, BOB);
  await enrolDevice(estate, control, BOB);
  await control.agents.resolve(BOB);
  control.faults.directory = async () => answer;
  expect(await control.agents.resolve(ALICE)).toHaveLength(2);
  estate.clock.offset += 300_001;
  await expect(control.agents.resolve(ALICE)).rejects.toMatchObject({
    code: 'ERR_AGENTS_EVIDENCE_STALE',
    kind: 'unavailable',
  });
  delete control.faults.directory;
  expect(await control.agents.resolve(ALICE)).toHaveLength(2);
});
