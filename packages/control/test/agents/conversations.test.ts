/** Conversations through the real gateway: who is in, one owner at a time, and state that never goes back. */
import { SealpostError, toBase64url } from '@sealpost/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { enrolDevice, revokeDevice, rows } from './device.ts';
import { createEstate, type Estate, random } from './estate.ts';
import { ALICE, applyBundle, type ControlProcess, registerMember, startProcess } from './process.ts';

const AGENT = 'acme-incidents' as never;
const DATA = new Uint8Array();
let estate: Estate;
let control: ControlProcess;
const codeOf = (error: unknown) => (error instanceof SealpostError ? error.code : String(error));

beforeEach(async () => {
  estate = await createEstate();
  control = await startProcess(estate);
  await applyBundle(estate, control, 1);
  await registerMember(control);
});
afterEach(async () => {
  await control[Symbol.asyncDispose]();
  await estate[Symbol.asyncDispose]();
});

const members = async (conversation: string) =>
  (
    await rows(estate, 'SELECT device FROM conversation_device WHERE conversation = $1 ORDER BY device', [conversation])
  ).map(({ device }) => device);
const group = async () =>
  (
    await control.database.query<{ version: number; ratchet: Uint8Array; snapshot: Uint8Array }>(
      'test-group',
      'SELECT * FROM agent_group',
    )
  )[0]!;
const seal = (process: ControlProcess, text: string) =>
  process.agents.withConversation(AGENT, ALICE, (held) =>
    held.sealAndStore(new TextEncoder().encode(text), DATA, async (_tx, ciphertext) => toBase64url(ciphertext)),
  );
const sealInOrder = (process: ControlProcess, text: string) =>
  process.agents.withConversation(AGENT, ALICE, (held) =>
    held.sealAndStore(new TextEncoder().encode(text), DATA, async (tx, ciphertext) => {
      const [row] = await tx.query<{ version: number }>('test-order', 'SELECT version FROM agent_group');
      return { version: row!.version, epoch: held.epoch, ciphertext: toBase64url(ciphertext) };
    }),
  );
/** As the gateway would have stored it, in this place. */
const deliver = (conversation: string, at: number, ciphertext: string, epoch = 1) =>
  rows(
    estate,
    'INSERT INTO envelope (message, sender, id, lane, conversation, expires, body) VALUES ($1, $2, $3, 0, $4, 0, $5)',
    [
      `01890000-0000-7000-8000-${String(at).padStart(12, '0')}`,
      'x',
      random(32),
      conversation,
      Buffer.from(JSON.stringify({ parts: [{ epoch, ciphertext }] })),
    ],
  );

test('a conversation is made on first use with every active device, grows with the next and loses the revoked', async () => {
  const [phone, laptop] = [await enrolDevice(estate, control), await enrolDevice(estate, control)];
  await phone.upload(1);
  await laptop.upload(1);
  const first = await control.agents.conversationFor(AGENT, ALICE);
  expect(first.epoch).toBe(1);
  expect(await members(first.conversation)).toEqual([phone.device, laptop.device].sort());

  const tablet = await enrolDevice(estate, control);
  await tablet.upload(1);
  expect((await control.agents.conversationFor(AGENT, ALICE)).epoch).toBe(2);
  expect(await members(first.conversation)).toContain(tablet.device);

  await revokeDevice(estate, control, phone);
  const last = await control.agents.conversationFor(AGENT, ALICE);
  expect(last).toEqual({ conversation: first.conversation, epoch: 3 });
  expect(await members(first.conversation)).toEqual([laptop.device, tablet.device].sort());
});

test('a device without key packages is left out, with the reason logged, while another one is reached', async () => {
  const [phone, empty] = [await enrolDevice(estate, control), await enrolDevice(estate, control)];
  await phone.upload(1);
  const { conversation } = await control.agents.conversationFor(AGENT, ALICE);
  expect(await members(conversation)).toEqual([phone.device]);
  expect(control.logs.some((line) => line.includes('no-key-package'))).toBe(true);
  await empty.upload(1);
  await control.agents.conversationFor(AGENT, ALICE);
  expect(await members(conversation)).toHaveLength(2);
});

test('no device at all, and none with a key package, is a conflict with a hint', async () => {
  const refused = { code: 'ERR_AGENTS_NO_DEVICE', kind: 'conflict', hint: expect.stringContaining('enrol') };
  await expect(control.agents.conversationFor(AGENT, ALICE)).rejects.toMatchObject(refused);
  await enrolDevice(estate, control);
  await expect(control.agents.conversationFor(AGENT, ALICE)).rejects.toMatchObject(refused);
});

test('two processes on one conversation never use a generation twice', async () => {
  const phone = await enrolDevice(estate, control);
  await phone.upload(1);
  await using other = await startProcess(estate);
  await control.agents.conversationFor(AGENT, ALICE);
  const sealed = await Promise.all(
    Array.from({ length: 24 }, (_, at) => sealInOrder(at % 2 === 0 ? control : other, `message ${at}`)),
  );
  sealed.sort((a, b) => a.version - b.version);
  // One small write a message, none over another.
  expect(new Set(sealed.map(({ version }) => version)).size).toBe(24);
  const { ratchet, snapshot } = await group();
  expect(ratchet.length).toBeLessThan(snapshot.length / 4);
  const { conversation } = await control.agents.conversationFor(AGENT, ALICE);
  for (const [at, { ciphertext, epoch }] of sealed.entries()) await deliver(conversation, at, ciphertext, epoch);
  // A device takes each generation once and refuses a second message under it as replayed.
  const read = await phone.read(conversation);
  expect(new Set(read.map(({ text }) => text)).size).toBe(24);
});

test('two processes that meet a member for the first time make one key, one certificate name and one conversation', async () => {
  const phone = await enrolDevice(estate, control);
  await phone.upload(1);
  await using other = await startProcess(estate);
  const both = await Promise.all([control, other].map(({ agents }) => agents.conversationFor(AGENT, ALICE)));
  expect(both[0]!.conversation).toBe(both[1]!.conversation);
  expect(await members(both[0]!.conversation)).toEqual([phone.device]);
  expect(await seal(other, 'from the other')).not.toBe(await seal(control, 'from the first'));
});

test('a device that was revoked reads nothing that was sent after', async () => {
  const [phone, laptop] = [await enrolDevice(estate, control), await enrolDevice(estate, control)];
  await phone.upload(1);
  await laptop.upload(1);
  const { conversation } = await control.agents.conversationFor(AGENT, ALICE);
  await deliver(conversation, 0, await seal(control, 'before'));
  await revokeDevice(estate, control, phone);
  const { epoch } = await control.agents.conversationFor(AGENT, ALICE);
  await deliver(conversation, 1, await seal(control, 'after'), epoch);
  expect((await laptop.read(conversation)).map(({ text }) => text)).toEqual(['before', 'after']);
  expect((await phone.read(conversation)).map(({ text }) => text)).toEqual(['before']);
});

test('what was written under a lease that another process has taken since is refused', async () => {
  const phone = await enrolDevice(estate, control);
  await phone.upload(1);
  await using other = await startProcess(estate);
  const outcome = control.agents.withConversation(AGENT, ALICE, async (held) => {
    estate.clock.offset += 21_000;
    await expect.poll(() => seal(other, 'overtaking').then(() => 'sealed', codeOf), { timeout: 20_000 }).toBe('sealed');
    return held.sealAndStore(new Uint8Array(3), DATA, async () => 'stored');
  });
  await expect(outcome).rejects.toMatchObject({ code: 'ERR_AGENTS_BUSY', kind: 'unavailable' });
});

test('state older than what the gateway has seen never sends', async () => {
  const phone = await enrolDevice(estate, control);
  await phone.upload(1);
  const { conversation } = await control.agents.conversationFor(AGENT, ALICE);
  await rows(estate, 'UPDATE conversation SET epoch = epoch + 1 WHERE conversation = $1', [conversation]);
  await using restarted = await startProcess(estate);
  await expect(seal(restarted, 'stale')).rejects.toMatchObject({ code: 'ERR_AGENTS_STALE' });
});

test('a database put back to an earlier moment of the epoch sends under no generation twice', async () => {
  const phone = await enrolDevice(estate, control);
  await phone.upload(1);
  const { conversation } = await control.agents.conversationFor(AGENT, ALICE);
  const backup = await group();
  const sent = await sealInOrder(control, 'before the restore');
  await control.database.query('test-restore', 'UPDATE agent_group SET version = $1, ratchet = $2', [
    backup.version,
    backup.ratchet,
  ]);
  for (const attempt of ['while running', 'and again'])
    await expect(seal(control, attempt)).rejects.toMatchObject({ code: 'ERR_AGENTS_STALE' });
  await using restarted = await startProcess(estate);
  const after = await sealInOrder(restarted, 'after the restore');
  expect(after.epoch).toBe(sent.epoch + 1);
  await deliver(conversation, 0, sent.ciphertext, sent.epoch);
  await deliver(conversation, 1, after.ciphertext, after.epoch);
  expect((await phone.read(conversation)).map(({ text }) => text)).toEqual(['before the restore', 'after the restore']);
});

test('a commit whose answer was lost is posted again with the same bytes after a restart', async () => {
  const phone = await enrolDevice(estate, control);
  await phone.upload(1);
  const posts: string[] = [];
  control.faults.commit = async (conversation, post) => {
    posts.push(JSON.stringify(post));
    await control.client.commit(conversation, post);
    throw new Error('the process ends here');
  };
  await expect(control.agents.conversationFor(AGENT, ALICE)).rejects.toThrow('ends here');
  const next = await startProcess(estate, {
    commit: async (conversation, post) => {
      posts.push(JSON.stringify(post));
      await next.client.commit(conversation, post);
    },
  });
  await using _next = next;
  expect((await next.agents.conversationFor(AGENT, ALICE)).epoch).toBe(1);
  expect(posts).toHaveLength(2);
  expect(posts[1]).toBe(posts[0]);
});

test('a commit lost before it reached the gateway is posted again with the same bytes', async () => {
  const phone = await enrolDevice(estate, control);
  await phone.upload(1);
  const posts: string[] = [];
  control.faults.commit = async (_conversation, post) => {
    posts.push(JSON.stringify(post));
    throw new SealpostError('ERR_GATEWAY_AWAY', { kind: 'unavailable', sentence: 'away', hint: '' });
  };
  await expect(control.agents.conversationFor(AGENT, ALICE)).rejects.toMatchObject({ kind: 'unavailable' });
  control.faults.commit = async (conversation, post) => {
    posts.push(JSON.stringify(post));
    await control.client.commit(conversation, post);
  };
  expect((await control.agents.conversationFor(AGENT, ALICE)).epoch).toBe(1);
  expect(posts[1]).toBe(posts[0]);
});

test('what a failing store undoes leaves no trace, and the next message is sealed from the stored state', async () => {
  const phone = await enrolDevice(estate, control);
  await phone.upload(1);
  await control.agents.conversationFor(AGENT, ALICE);
  const before = await group();
  const failing = control.agents.withConversation(AGENT, ALICE, (held) =>
    held.sealAndStore(new Uint8Array(3), DATA, async () => Promise.reject(new Error('no room'))),
  );
  await expect(failing).rejects.toThrow('no room');
  expect(Number((await group()).version)).toBe(Number(before.version));
  expect(await seal(control, 'after')).toMatch(/^[A-Za-z0-9_-]+$/);
});

test('each epoch has a storage key of its own, outside the database, and older ones are gone', async () => {
  const phone = await enrolDevice(estate, control);
  await phone.upload(1);
  const { conversation } = await control.agents.conversationFor(AGENT, ALICE);
  const ring = () =>
    JSON.parse(new TextDecoder().decode(estate.keys.readSecret(`keyring-${conversation}`))) as { id: string }[];
  const first = ring();
  const laptop = await enrolDevice(estate, control);
  await laptop.upload(1);
  await control.agents.conversationFor(AGENT, ALICE);
  expect(first).toHaveLength(1);
  expect(ring()).toHaveLength(1);
  expect(ring()[0]!.id).not.toBe(first[0]!.id);
});

test('a storage key is replaced after a day in the same epoch', async () => {
  const phone = await enrolDevice(estate, control);
  await phone.upload(1);
  const { conversation } = await control.agents.conversationFor(AGENT, ALICE);
  const ring = () => new TextDecoder().decode(estate.keys.readSecret(`keyring-${conversation}`));
  const before = ring();
  estate.clock.offset += 86_400_001;
  await expect.poll(() => control.agents.conversationFor(AGENT, ALICE).then(({ epoch }) => epoch, codeOf)).toBe(1);
  expect(ring()).not.toBe(before);
});
