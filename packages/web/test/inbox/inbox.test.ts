/** The inbox behind its page, over a real device, an organisation of the client's own tests and no browser. */
import { type DeviceStore, openDevice } from '@sealpost/client';
import { errorsOf } from '@sealpost/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { Agent } from '../../../client/test/agent.ts';
import { CONTROL, Gateway } from '../../../client/test/gateway.ts';
import { Disk, MemoryStore } from '../../../client/test/memory-store.ts';
import { createOrganisation } from '../../../client/test/organisation.ts';
import { around, until } from '../../../client/test/story.ts';
import { createInbox, type Inbox, type InboxDeps } from '../../src/inbox/inbox.ts';
import type { EnrolledState } from '../../src/inbox/state.ts';

const busy = errorsOf({ ERR_CLIENT_STORE_BUSY: { kind: 'conflict', sentence: 'busy', hint: 'wait' } });
let inboxes: Inbox[] = [];
afterEach(async () => {
  for (const inbox of inboxes) if (inbox.state().kind === 'enrolled') await inbox.goOffline();
  inboxes = [];
});

async function setStage() {
  const organisation = await createOrganisation();
  const gateway = new Gateway(organisation);
  const agent = await Agent.create(gateway, organisation);
  return { gateway, agent, disk: new Disk() };
}

/** A browser: its store outlives the page, and so does what `gateway` knows of it. */
function browser(gateway: Gateway, disk: Disk, change: Partial<InboxDeps> = {}): Inbox {
  const inbox = createInbox({
    secure: true,
    control: CONTROL,
    surroundings: around(gateway),
    openStore: async () => new MemoryStore(disk),
    eraseStore: async () => {
      disk.values.clear();
      disk.privateJwk = undefined;
    },
    openDevice: (store: DeviceStore) =>
      openDevice({ store, surroundings: around(gateway), WebSocket: gateway.WebSocket }),
    ...change,
  });
  inboxes.push(inbox);
  return inbox;
}

const seen = (what: string, inbox: Inbox, holds: (state: EnrolledState) => boolean) =>
  until(what, () => {
    const state = inbox.state();
    return state.kind === 'enrolled' && holds(state) ? state : undefined;
  });

/** Enrolled, online, and in the agent's conversation. */
async function enrolled() {
  const stage = await setStage();
  const inbox = browser(stage.gateway, stage.disk);
  await inbox.start('CODE-1');
  await inbox.enroll('CODE-1');
  const { identity } = await seen('online', inbox, ({ link }) => link === 'online');
  await stage.agent.add(identity.device);
  return { ...stage, inbox, device: identity.device };
}

describe('a browser that is no device', () => {
  it('says so on a page that is not secure, and touches no store', async () => {
    const { gateway, disk } = await setStage();
    const inbox = browser(gateway, disk, {
      secure: false,
      openStore: () => Promise.reject(new Error('must not be asked')),
    });
    await inbox.start();
    expect(inbox.state()).toEqual({ kind: 'insecure' });
  });

  it('offers the code a link brought, and another that comes later', async () => {
    const { gateway, disk } = await setStage();
    const inbox = browser(gateway, disk);
    await inbox.start('CODE-1');
    expect(inbox.state()).toMatchObject({ kind: 'stranger', code: 'CODE-1' });
    inbox.offer('CODE-2');
    expect(inbox.state()).toMatchObject({ kind: 'stranger', code: 'CODE-2' });
  });

  it('offers a code again that could not be handed in', async () => {
    const { gateway, disk } = await setStage();
    const fetch = () => Promise.reject(new TypeError('Failed to fetch'));
    const inbox = browser(gateway, disk, { surroundings: { ...around(gateway), fetch } });
    await inbox.start();
    await inbox.enroll('CODE-1');
    expect(inbox.state()).toMatchObject({ kind: 'stranger', code: 'CODE-1', problem: { code: 'ERR_CLIENT_AWAY' } });
  });

  it('says that another tab has the device, and uses it here once that tab is gone', async () => {
    const { gateway, disk } = await setStage();
    let held = true;
    const openStore = async () => {
      if (held) throw busy('ERR_CLIENT_STORE_BUSY');
      return new MemoryStore(disk);
    };
    const inbox = browser(gateway, disk, { openStore });
    await inbox.start();
    expect(inbox.state()).toEqual({ kind: 'busy' });
    held = false;
    await inbox.start();
    expect(inbox.state()).toMatchObject({ kind: 'stranger' });
  });

  it('says that storage is unavailable when the browser refuses it', async () => {
    const { gateway, disk } = await setStage();
    const openStore = () => Promise.reject(new DOMException('denied', 'SecurityError'));
    const inbox = browser(gateway, disk, { openStore });
    await inbox.start();
    expect(inbox.state()).toMatchObject({ kind: 'broken', problem: { code: 'ERR_CLIENT_STORE' } });
  });
});

describe('a browser that is a device', () => {
  it('shows a message as it comes, and marks it read only when it is opened', async () => {
    const { inbox, agent, device } = await enrolled();
    const message = await agent.sends([device], 'disk full');
    const before = await seen('message', inbox, ({ messages }) => messages.length === 1);
    expect(before.messages[0]).toMatchObject({ message, state: 'received' });
    await inbox.toggle(message);
    const after = await seen('readers', inbox, ({ opened }) => opened?.readers !== undefined);
    expect(after.opened?.readers).toContainEqual(expect.stringMatching(/^this device/));
    expect(after.opened?.readers).toContainEqual(expect.stringMatching(/^the agent acme-incidents/));
    await seen('read', inbox, ({ messages }) => messages[0]?.state === 'read');
    await inbox.toggle(message);
    await seen('closed', inbox, ({ opened }) => opened === undefined);
  });

  it('counts the receipts that wait while it is offline, and none once it is back', async () => {
    const { inbox, agent, device } = await enrolled();
    const message = await agent.sends([device], 'disk full');
    await seen('message sent its receipt', inbox, ({ messages, waiting }) => messages.length === 1 && waiting === 0);
    await inbox.goOffline();
    expect(inbox.state()).toMatchObject({ link: 'offline', trouble: undefined });
    await inbox.toggle(message);
    await inbox.acknowledge(message);
    await seen('two wait', inbox, ({ waiting }) => waiting === 2);
    inbox.goOnline();
    await seen('none waits', inbox, ({ link, waiting }) => link === 'online' && waiting === 0);
  });

  it('is the same device with the same messages after a reload', async () => {
    const { inbox, agent, device, gateway, disk } = await enrolled();
    const message = await agent.sends([device], 'disk full');
    await seen('message', inbox, ({ messages }) => messages.length === 1);
    await inbox.goOffline();
    const reloaded = browser(gateway, disk);
    await reloaded.start();
    const state = await seen('online', reloaded, ({ link }) => link === 'online');
    expect(state.identity.device).toBe(device);
    expect(state.messages.map((one) => one.message)).toEqual([message]);
  });

  it('says why it is offline while the gateway is away, and comes back by itself', async () => {
    const { inbox, gateway } = await enrolled();
    gateway.away = true;
    gateway.cut();
    const away = await seen('away', inbox, ({ link }) => link === 'away');
    expect(away.trouble?.code).toBe('ERR_CLIENT_AWAY');
    gateway.away = false;
    await seen('online', inbox, ({ link, trouble }) => link === 'online' && trouble === undefined);
  });

  it('leaves nothing behind when it is erased, and can be enrolled anew', async () => {
    const { inbox, disk, device } = await enrolled();
    const { erase } = inbox;
    await erase();
    expect(inbox.state()).toMatchObject({ kind: 'stranger', code: undefined });
    expect([disk.values.size, disk.privateJwk]).toEqual([0, undefined]);
    await inbox.enroll('CODE-2');
    const anew = await seen('online', inbox, ({ link }) => link === 'online');
    expect(anew.identity.device).not.toBe(device);
  });
});
