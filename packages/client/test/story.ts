/** What most stories begin with: an organisation, its gateway, an agent, and Alice's phone in a conversation with it. */
import { type Device, type EnrollOptions, enroll, openDevice } from '../src/index.ts';
import { Agent } from './agent.ts';
import { CONTROL, Gateway } from './gateway.ts';
import { Disk, MemoryStore } from './memory-store.ts';
import { createOrganisation, type Organisation, random, surroundings } from './organisation.ts';

export async function until<T>(what: string, ask: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (let attempt = 0; attempt < 2000; attempt++) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`never happened: ${what}`);
}

export const around = (gateway: Gateway) => ({ ...surroundings, fetch: gateway.fetch });

export async function enrolls(gateway: Gateway, store: MemoryStore, options: Partial<EnrollOptions> = {}) {
  return enroll({ control: CONTROL, code: 'CODE-1', name: 'phone', store, surroundings: around(gateway), ...options });
}

export function opens(gateway: Gateway, store: MemoryStore, change: object = {}): Promise<Device> {
  return openDevice({ store, surroundings: { ...around(gateway), ...change }, WebSocket: gateway.WebSocket });
}

export interface Stage {
  readonly organisation: Organisation;
  readonly gateway: Gateway;
  readonly agent: Agent;
  readonly disk: Disk;
  readonly phone: Device;
}

/** Alice's phone, enrolled, in the conversation and online. */
export async function setStage(): Promise<Stage> {
  const organisation = await createOrganisation();
  const gateway = new Gateway(organisation);
  const agent = await Agent.create(gateway, organisation);
  const disk = new Disk();
  const { device } = await enrolls(gateway, new MemoryStore(disk));
  await agent.add(device);
  const phone = await opens(gateway, new MemoryStore(disk));
  await phone.connect();
  return { organisation, gateway, agent, disk, phone };
}

/** Another device of Alice, by another code. */
export async function secondDevice(gateway: Gateway) {
  const disk = new Disk();
  const code = `CODE-${random(4).join('')}`;
  const { device } = await enrolls(gateway, new MemoryStore(disk), { code, name: 'laptop' });
  return { device, laptop: await opens(gateway, new MemoryStore(disk)) };
}
