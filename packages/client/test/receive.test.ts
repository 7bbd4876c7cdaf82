/** What a device shows, and what it never shows. */
import {
  agentIdSchema,
  canonicalBytes,
  deviceIdSchema,
  type Envelope,
  messageIdSchema,
  newMessageId,
  toBase64url,
} from '@sealpost/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import type { DeviceChange } from '../src/index.ts';
import type { Cheats } from './agent.ts';
import { ALICE } from './gateway.ts';
import { NOW, random } from './organisation.ts';
import { type Stage, secondDevice, setStage, until } from './story.ts';

let stage: Stage;
afterEach(() => stage.phone.close());

const inboxed = (device: Stage['phone'], message: string) =>
  until(`message ${message}`, async () => (await device.inbox()).find((one) => one.message === message));

describe('a message that passes every check', () => {
  it('is shown with the sender MLS authenticated, and its receipts are signed and sent', async () => {
    stage = await setStage();
    const { phone, agent, gateway } = stage;
    const told: DeviceChange[] = [];
    phone.on((change) => told.push(change));
    const message = await agent.sends([phone.identity.device], 'DiskFull');
    const shown = await inboxed(phone, message);
    expect(shown).toMatchObject({
      state: 'received',
      subject: 'DiskFull',
      sender: { uri: 'sealpost://acme.example/agent/acme-incidents', agent: 'acme-incidents' },
      flow: 'incident-alerts',
      checks: { commitment: true, authenticatedData: true },
      acknowledge: true,
      facts: [{ name: 'severity', value: 'critical' }],
    });
    expect((await phone.open(message)).state).toBe('read');
    await phone.acknowledge(message);
    await phone.acknowledge(message);
    await until('three receipts', () => gateway.kinds(message).length === 3 || undefined);
    expect(gateway.kinds(message)).toEqual(['delivered', 'read', 'acknowledged']);
    expect(gateway.receipts.every(({ commitment }) => commitment === shown.commitment)).toBe(true);
    expect(told.map(({ kind }) => kind)).toEqual(['received', 'opened', 'acknowledged']);
  });

  it('names its readers from certificates', async () => {
    stage = await setStage();
    const { phone, agent, gateway } = stage;
    const { device, laptop } = await secondDevice(gateway);
    await agent.add(device);
    const message = await agent.sends([phone.identity.device, device], 'DiskFull');
    await inboxed(phone, message);
    const readers = await phone.readers(message);
    expect(readers).toHaveLength(3);
    expect(readers).toContain('the agent acme-incidents of acme.example, run by its control server');
    expect(readers).toContain(`this device, ${phone.identity.device} of alice`);
    expect(readers).toContain(`your device ${device} of alice`);
    await laptop.connect();
    expect((await inboxed(laptop, message)).state).toBe('received');
    await laptop.close();
  });

  it('comes newest first and across changes of the group', async () => {
    stage = await setStage();
    const { phone, agent, gateway } = stage;
    const first = await agent.sends([phone.identity.device], 'first');
    const { device, laptop } = await secondDevice(gateway);
    await agent.add(device);
    const second = await agent.sends([phone.identity.device], 'second');
    await inboxed(phone, second);
    expect((await phone.inbox()).map(({ message }) => message)).toEqual([second, first]);
    await laptop.close();
  });
});

const other = messageIdSchema.parse(newMessageId(NOW, random(10)));
const wrongCommitment = 'A'.repeat(43);

/** Each is wrong in one way only. */
const CHEATS: Record<string, { code: string; cheats: (stage: Stage) => Promise<Cheats> | Cheats }> = {
  'whose commitment is another': {
    code: 'ERR_CLIENT_AUTHENTICATED_DATA',
    cheats: () => ({ envelope: { commitment: wrongCommitment } }),
  },
  'whose content is not the one committed to': {
    code: 'ERR_CLIENT_COMMITMENT',
    cheats: () => ({ envelope: { commitment: wrongCommitment }, authenticatedData: { commitment: wrongCommitment } }),
  },
  'whose authenticated data names another message': {
    code: 'ERR_CLIENT_AUTHENTICATED_DATA',
    cheats: () => ({ authenticatedData: { message: other } }),
  },
  'that names another agent than the one that sealed it': {
    code: 'ERR_CLIENT_SENDER',
    cheats: () => ({ envelope: { sender: agentIdSchema.parse('acme-payroll') } }),
  },
  'that another agent of the conversation sealed': {
    code: 'ERR_CLIENT_SENDER',
    cheats: async ({ agent, organisation }) => ({
      by: await agent.bring(await organisation.agent(agentIdSchema.parse('acme-payroll'))),
    }),
  },
  'that another device of the member sealed': {
    code: 'ERR_CLIENT_SENDER',
    cheats: async ({ agent, organisation }) => ({
      by: await agent.bring(await organisation.sibling(ALICE, deviceIdSchema.parse(`dev_${'x'.repeat(22)}`))),
    }),
  },
  'of a conversation this device is not in': {
    code: 'ERR_CLIENT_CONVERSATION',
    cheats: () => ({ envelope: { conversation: 'con_AAAAAAAAAAAAAAAAAAAAAA' as Envelope['conversation'] } }),
  },
  'for another organisation': {
    code: 'ERR_CLIENT_ENVELOPE',
    cheats: () => ({ envelope: { organisation: 'evil.example' as Envelope['organisation'] } }),
  },
  'for another member': {
    code: 'ERR_CLIENT_ENVELOPE',
    cheats: () => ({ envelope: { recipient: 'bob' as Envelope['recipient'] } }),
  },
  'that names another epoch than its ciphertext': {
    code: 'ERR_CLIENT_EPOCH',
    cheats: async ({ agent }) => {
      const { parts } = await agent.seal('lost');
      const [part] = parts;
      return part?.form === 'device' ? { envelope: { parts: [{ ...part, epoch: part.epoch + 1 }] } } : {};
    },
  },
  'whose ciphertext was changed': {
    code: 'ERR_CLIENT_DECRYPT',
    cheats: async ({ agent }) => {
      const [part] = (await agent.seal('lost')).parts;
      if (part?.form !== 'device') return {};
      const { ciphertext } = part;
      const changed = `${ciphertext.slice(0, -9)}${ciphertext.at(-9) === 'A' ? 'B' : 'A'}${ciphertext.slice(-8)}`;
      return { envelope: { parts: [{ ...part, ciphertext: changed }] } };
    },
  },
  'with two parts for devices': {
    code: 'ERR_CLIENT_ENVELOPE',
    cheats: async ({ agent }) => {
      const [part] = (await agent.seal('lost')).parts;
      return part === undefined ? {} : { envelope: { parts: [part, part] } };
    },
  },
  'whose content has a member more than the schema, such as a sender': {
    code: 'ERR_CLIENT_CONTENT',
    cheats: () => ({ plaintext: canonicalBytes({ v: 1, sender: 'acme-incidents', subject: 'x' }) }),
  },
  'whose content is not JSON': { code: 'ERR_CLIENT_CONTENT', cheats: () => ({ plaintext: random(40) }) },
};

describe('an envelope', () => {
  for (const [how, { code, cheats }] of Object.entries(CHEATS)) {
    it(`${how} is never shown and yields a signed \`unreadable\` receipt`, async () => {
      stage = await setStage();
      const { phone, agent, gateway } = stage;
      const message = await agent.sends([phone.identity.device], 'secret subject', await cheats(stage));
      const shown = await inboxed(phone, message);
      expect(shown).toMatchObject({ state: 'unreadable', code, subject: '', body: '', facts: [], sender: {} });
      expect(shown.checks).toEqual({ commitment: false, authenticatedData: false });
      await expect(phone.open(message)).rejects.toMatchObject({ code: 'ERR_CLIENT_UNREADABLE' });
      await expect(phone.readers(message)).rejects.toMatchObject({ code: 'ERR_CLIENT_UNREADABLE' });
      await until('the receipt', () => gateway.kinds(message).includes('unreadable') || undefined);
      expect(gateway.kinds(message)).toEqual(['unreadable']);
      // and the conversation goes on
      const next = await agent.sends([phone.identity.device], 'after');
      expect((await inboxed(phone, next)).state).toBe('received');
    });
  }

  it('that no schema takes yields an `unreadable` receipt too', async () => {
    stage = await setStage();
    const { phone, agent, gateway } = stage;
    const envelope = { ...(await agent.seal('x')), v: 2 };
    gateway.queue(phone.identity.device, { kind: 'envelope', message: envelope.message, envelope });
    expect(await inboxed(phone, envelope.message)).toMatchObject({ state: 'unreadable', code: 'ERR_CLIENT_ENVELOPE' });
    await until('the receipt', () => gateway.kinds(envelope.message).includes('unreadable') || undefined);
  });

  it('queued under another message id is not shown', async () => {
    stage = await setStage();
    const { phone, agent, gateway } = stage;
    const envelope = await agent.seal('x');
    gateway.queue(phone.identity.device, { kind: 'envelope', message: other, envelope });
    expect(await inboxed(phone, other)).toMatchObject({ state: 'unreadable', code: 'ERR_CLIENT_ENVELOPE' });
  });
});

describe('a replayed item', () => {
  it('has no effect, under its old cursor and under a new one', async () => {
    stage = await setStage();
    const { phone, agent, gateway } = stage;
    const envelope = await agent.seal('once');
    const cursor = agent.deliver(phone.identity.device, envelope);
    await inboxed(phone, envelope.message);
    const before = JSON.stringify(await phone.inbox());
    const told: DeviceChange[] = [];
    phone.on((change) => told.push(change));
    gateway.say({ type: 'item', cursor, item: { kind: 'envelope', message: envelope.message, envelope } });
    const again = agent.deliver(phone.identity.device, envelope);
    await until('acknowledged', () => gateway.acknowledged.includes(again) || undefined);
    expect(JSON.stringify(await phone.inbox())).toBe(before);
    expect(told).toEqual([]);
    expect(gateway.kinds(envelope.message)).toEqual(['delivered']);
  });

  it('under a new message id is unreadable: its key was used up', async () => {
    stage = await setStage();
    const { phone, agent } = stage;
    const envelope = await agent.seal('once');
    agent.deliver(phone.identity.device, envelope);
    const copy = { ...envelope, message: other };
    agent.deliver(phone.identity.device, copy);
    expect(await inboxed(phone, other)).toMatchObject({ state: 'unreadable', code: 'ERR_CLIENT_DECRYPT' });
  });

  it('with other content under the same id leaves the first in place and is told', async () => {
    stage = await setStage();
    const { phone, agent } = stage;
    const first = await agent.sends([phone.identity.device], 'first');
    await inboxed(phone, first);
    const told: DeviceChange[] = [];
    phone.on((change) => told.push(change));
    await agent.sends([phone.identity.device], 'second', { message: first });
    await until('the problem', () => told.find(({ kind }) => kind === 'problem'));
    expect(told).toEqual([{ kind: 'problem', code: 'ERR_CLIENT_CONFLICT' }]);
    expect((await phone.inbox()).map(({ subject }) => subject)).toEqual(['first']);
  });
});

describe('a conversation', () => {
  it('is over for a device that was removed, and begins again when it is added', async () => {
    stage = await setStage();
    const { phone, agent } = stage;
    await agent.remove(phone.identity.device);
    const unread = await agent.sends([phone.identity.device], 'without you');
    expect(await inboxed(phone, unread)).toMatchObject({ code: 'ERR_CLIENT_CONVERSATION' });
    await agent.add(phone.identity.device);
    const back = await agent.sends([phone.identity.device], 'welcome back');
    expect((await inboxed(phone, back)).subject).toBe('welcome back');
  });

  it('is not joined by an invitation that was tampered with', async () => {
    stage = await setStage();
    const { phone, gateway } = stage;
    const told: DeviceChange[] = [];
    phone.on((change) => told.push(change));
    const conversation = 'con_BBBBBBBBBBBBBBBBBBBBBB';
    const junk = toBase64url(random(200));
    gateway.queue(phone.identity.device, { kind: 'welcome', conversation, message: junk, ratchetTree: junk });
    gateway.queue(phone.identity.device, { kind: 'commit', conversation, epoch: 1, message: junk });
    await until('two problems', () => (told.length >= 2 ? told : undefined));
    expect(told.map(({ code }) => code)).toEqual(['ERR_CLIENT_WELCOME', 'ERR_CLIENT_COMMIT']);
    expect(phone.online).toBe(true);
  });
});
