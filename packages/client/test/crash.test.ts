/**
 * Crashes: one story, from enrollment to acknowledgement, told again and again with the device stopped at its first,
 * second, third… write, once just before that write and once just after. Each time a new process goes on from the disk.
 */
import type { DeviceId, MessageId } from '@sealpost/protocol';
import { describe, expect, it } from 'vitest';
import type { Device } from '../src/index.ts';
import { Agent } from './agent.ts';
import { Gateway } from './gateway.ts';
import { type Crash, Disk, MemoryStore } from './memory-store.ts';
import { createOrganisation, type Organisation } from './organisation.ts';
import { enrolls, opens, until } from './story.ts';

/** Everything outside the device, which no crash of it touches. */
class Outside {
  readonly gateway: Gateway;
  readonly agent: Agent;
  readonly messages: MessageId[] = [];
  readonly received: MessageId[] = [];

  constructor(gateway: Gateway, agent: Agent) {
    this.gateway = gateway;
    this.agent = agent;
  }

  /** Once: a conversation, a message, a message that is not what it says, another message. */
  async send(device: DeviceId): Promise<void> {
    if (this.messages.length > 0) return;
    await this.agent.add(device);
    this.messages.push(await this.agent.sends([device], 'first'));
    this.messages.push(
      await this.agent.sends([device], 'forged', { authenticatedData: { commitment: 'A'.repeat(43) } }),
    );
    this.messages.push(await this.agent.sends([device], 'third'));
  }
}

async function tell(outside: Outside, store: MemoryStore): Promise<void> {
  const { gateway, messages } = outside;
  const { device } = await enrolls(gateway, store).catch((error: { code?: string }) => {
    if (error.code !== 'ERR_CLIENT_ENROLLED') throw error;
    return { device: [...gateway.devices.keys()][0] as DeviceId };
  });
  await outside.send(device);
  const phone = await opens(gateway, store);
  phone.on(({ kind, message }) => {
    if (kind === 'received' && message !== undefined) outside.received.push(message);
  });
  const dead = store.crashed.then(() => Promise.reject(new Error('crashed')));
  dead.catch(() => undefined);
  try {
    await Promise.race([liveWith(phone, outside, messages), dead]);
  } finally {
    await phone.close();
  }
}

async function liveWith(phone: Device, { gateway }: Outside, messages: readonly MessageId[]): Promise<void> {
  const [first, , third] = messages as [MessageId, MessageId, MessageId];
  await phone.connect();
  await until('three messages', async () => (await phone.inbox()).length === 3 || undefined);
  await phone.open(first);
  await phone.acknowledge(third);
  await until('all receipts', () => gateway.receipts.length === 6 || undefined);
  await until('an empty queue', async () => (await phone.sendReceipts()) === 0 || undefined);
}

async function stopAt(
  organisation: Organisation,
  crash: Crash | undefined,
): Promise<{ crashed: boolean; writes: number }> {
  const gateway = new Gateway(organisation);
  const outside = new Outside(gateway, await Agent.create(gateway, organisation));
  const disk = new Disk();
  const store = new MemoryStore(disk, crash);
  const crashed = await tell(outside, store).then(
    () => false,
    () => true,
  );
  gateway.cut();
  if (crashed) await tell(outside, new MemoryStore(disk));
  await nothingLostNothingTwice(outside, disk);
  return { crashed, writes: store.writes };
}

async function nothingLostNothingTwice({ gateway, messages, received, agent }: Outside, disk: Disk): Promise<void> {
  const phone = await opens(gateway, new MemoryStore(disk));
  const states = (await phone.inbox()).map(({ message, state, subject }) => ({ message, state, subject }));
  const [first, forged, third] = messages;
  expect(states).toEqual([
    { message: third, state: 'acknowledged', subject: 'third' },
    { message: forged, state: 'unreadable', subject: '' },
    { message: first, state: 'read', subject: 'first' },
  ]);
  const receipts = gateway.receipts.map(({ message, kind }) => `${messages.indexOf(message)} ${kind}`).sort();
  expect(receipts).toEqual(['0 delivered', '0 read', '1 unreadable', '2 acknowledged', '2 delivered', '2 read']);
  expect(new Set(received).size).toBe(received.length);
  // One device, one key, and the conversation goes on where it was.
  expect(gateway.devices.size).toBe(1);
  await phone.connect();
  const after = await agent.sends([phone.identity.device], 'after');
  const shown = await until('after', async () => (await phone.inbox()).find(({ message }) => message === after));
  expect(shown.subject).toBe('after');
  await phone.close();
}

describe('a crash', () => {
  it('between any two steps loses nothing and shows nothing twice', async () => {
    const organisation = await createOrganisation();
    const { writes } = await stopAt(organisation, undefined);
    expect(writes).toBeGreaterThan(12);
    let crashes = 0;
    for (let at = 1; at <= writes; at++) {
      for (const written of [false, true]) if ((await stopAt(organisation, { at, written })).crashed) crashes++;
    }
    // How many writes settle receipts depends on timing; the others always come.
    expect(crashes).toBeGreaterThan(2 * (writes - 6));
  }, 240_000);
});
