/** Staying online: coming back, giving up when told so, and receipts that wait. */
import { afterEach, describe, expect, it } from 'vitest';
import type { DeviceChange } from '../src/index.ts';
import { backoff } from '../src/sync/backoff.ts';
import { MemoryStore } from './memory-store.ts';
import { opens, type Stage, setStage, until } from './story.ts';

let stage: Stage;
afterEach(() => stage?.phone.close());

/** Pauses that end at once and are written down; the bounds on `ready` and on pings stay. */
function impatient() {
  const waits: number[] = [];
  const after = (ms: number, run: () => void) => {
    if (ms !== 15_000) waits.push(ms);
    const timer = setTimeout(run, ms === 15_000 || ms === 30_000 ? ms : 1);
    return () => clearTimeout(timer);
  };
  return { waits, after };
}

describe('backoff', () => {
  it('doubles from half a second to half a minute, and spreads', () => {
    const none = () => new Uint8Array(2);
    const all = () => new Uint8Array([255, 255]);
    expect([1, 2, 3, 4, 20].map((failures) => backoff(failures, all))).toEqual([500, 1000, 2000, 4000, 30_000]);
    expect([1, 2, 3, 4, 20].map((failures) => backoff(failures, none))).toEqual([250, 500, 1000, 2000, 15_000]);
  });
});

describe('a connection', () => {
  it('that is cut comes back, and what came meanwhile is received', async () => {
    stage = await setStage();
    const { phone, gateway, agent } = stage;
    const told: string[] = [];
    phone.on(({ kind }) => told.push(kind));
    gateway.cut();
    await until('offline', () => !phone.online || undefined);
    const message = await agent.sends([phone.identity.device], 'meanwhile');
    await until('online', () => phone.online || undefined);
    await until('message', async () => (await phone.inbox()).find((one) => one.message === message));
    expect(told).toEqual(['offline', 'online', 'received']);
    expect(gateway.connections[0]).toBe('wss://gateway.acme.example/v1/sync');
  });

  it('is tried again with growing pauses while the gateway is away', async () => {
    stage = await setStage();
    await stage.phone.close();
    const { waits, after } = impatient();
    const phone = await opens(stage.gateway, new MemoryStore(stage.disk), { after });
    stage.gateway.away = true;
    const connected = phone.connect();
    await until('seven pauses', () => waits.length >= 7 || undefined);
    expect(phone.online).toBe(false);
    stage.gateway.away = false;
    await connected;
    expect(phone.online).toBe(true);
    const pauses = waits.filter((ms) => ms !== 30_000).slice(0, 7);
    for (const [at, ms] of pauses.entries()) {
      const bound = Math.min(30_000, 500 * 2 ** at);
      expect(ms).toBeGreaterThanOrEqual(bound / 2);
      expect(ms).toBeLessThanOrEqual(bound);
    }
    await phone.close();
  });

  it('that is refused for good after it was up is not made again', async () => {
    stage = await setStage();
    const { phone, gateway } = stage;
    const told: DeviceChange[] = [];
    phone.on((change) => told.push(change));
    gateway.say({ type: 'error', code: 'ERR_SYNC_SUPERSEDED', hint: 'no' });
    await until('given up', () => told.find(({ code }) => code === 'ERR_CLIENT_REFUSED'));
    const { length } = gateway.connections;
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(gateway.connections).toHaveLength(length);
    expect(told.map(({ kind }) => kind)).toEqual(['offline', 'problem', 'problem']);
  });

  it('is given up when the gateway’s refusal is final, and tried again when it is not', async () => {
    stage = await setStage();
    const { gateway, disk } = stage;
    await stage.phone.close();
    const phone = await opens(gateway, new MemoryStore(disk), { after: impatient().after });
    gateway.refuses = 'ERR_SYNC_REVOKED';
    await expect(phone.connect()).rejects.toMatchObject({
      code: 'ERR_CLIENT_REFUSED',
      details: [{ pointer: 'sync', detail: 'ERR_SYNC_REVOKED' }],
    });
    gateway.refuses = 'ERR_SYNC_FULL';
    const told: DeviceChange[] = [];
    phone.on((change) => told.push(change));
    const connected = phone.connect();
    await until('a problem', () => told.find(({ code }) => code === 'ERR_SYNC_FULL'));
    gateway.refuses = undefined;
    await connected;
    expect(phone.online).toBe(true);
    await phone.close();
  });

  it('ends on a frame nobody knows and comes back', async () => {
    stage = await setStage();
    const { phone, gateway } = stage;
    const told: DeviceChange[] = [];
    phone.on((change) => told.push(change));
    gateway.say('{"type":"surprise"}');
    await until('back', () => (told.length >= 3 && phone.online) || undefined);
    expect(told).toEqual([{ kind: 'offline' }, { kind: 'problem', code: 'ERR_CLIENT_FRAME' }, { kind: 'online' }]);
  });

  it('that was told to go offline before it was made says so, and can be made again', async () => {
    stage = await setStage();
    const { phone, gateway } = stage;
    await phone.disconnect();
    gateway.away = true;
    const connecting = phone.connect();
    await phone.disconnect();
    await expect(connecting).rejects.toMatchObject({ code: 'ERR_CLIENT_OFFLINE' });
    gateway.away = false;
    await phone.connect();
    expect(phone.online).toBe(true);
    await phone.disconnect();
    await phone.disconnect();
    expect(phone.online).toBe(false);
  });

  it('takes more items than its credit', async () => {
    stage = await setStage();
    const { phone, agent } = stage;
    await phone.disconnect();
    for (let at = 0; at < 80; at++) await agent.sends([phone.identity.device], `message ${at}`);
    await phone.connect();
    await until('all', async () => (await phone.inbox()).length === 80 || undefined);
    const subjects = (await phone.inbox()).map(({ subject }) => subject);
    expect(subjects[0]).toBe('message 79');
    expect(subjects[79]).toBe('message 0');
  });
});

describe('receipts', () => {
  it('of what is opened offline are stored, survive a restart and are sent when online', async () => {
    stage = await setStage();
    const { phone, agent, gateway, disk } = stage;
    const message = await agent.sends([phone.identity.device], 'read on the train');
    await until('delivered', () => gateway.kinds(message).includes('delivered') || undefined);
    await phone.disconnect();
    await phone.open(message);
    await phone.acknowledge(message);
    await phone.close();
    expect(gateway.kinds(message)).toEqual(['delivered']);
    const again = await opens(gateway, new MemoryStore(disk));
    expect((await again.open(message)).state).toBe('acknowledged');
    await again.connect();
    await until('all', () => gateway.kinds(message).length === 3 || undefined);
    expect(gateway.kinds(message)).toEqual(['delivered', 'read', 'acknowledged']);
    expect(await again.sendReceipts()).toBe(0);
    await again.close();
  });

  it('can be posted without sync', async () => {
    stage = await setStage();
    const { phone, agent, gateway } = stage;
    const message = await agent.sends([phone.identity.device], 'x');
    await until('delivered', () => gateway.kinds(message).includes('delivered') || undefined);
    await phone.disconnect();
    await phone.open(message);
    gateway.away = true;
    await expect(phone.sendReceipts()).rejects.toMatchObject({ code: 'ERR_CLIENT_AWAY' });
    gateway.away = false;
    expect(await phone.sendReceipts()).toBe(0);
    expect(gateway.kinds(message)).toEqual(['delivered', 'read']);
    expect(gateway.receiptsByHttp).toHaveLength(1);
  });

  it('that the gateway refuses are told and not sent again', async () => {
    stage = await setStage();
    const { phone, agent, gateway } = stage;
    gateway.refusesReceipts = true;
    const told: DeviceChange[] = [];
    phone.on((change) => told.push(change));
    await agent.sends([phone.identity.device], 'x');
    await until('told', () => told.find(({ code }) => code === 'ERR_DELIVERY_RECEIPT'));
    gateway.refusesReceipts = false;
    expect(await phone.sendReceipts()).toBe(0);
    expect(gateway.receipts).toEqual([]);
  });
});
