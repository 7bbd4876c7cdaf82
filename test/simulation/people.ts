/**
 * Senders and recipients. Intake accepts as packages/gateway/src/modules/envelopes does: envelope and event in one
 * transaction, a repeat of what was stored changes nothing. A device opens what its queue holds once it is online, and
 * offers each receipt until it is told that it is recorded.
 */
import {
  agentIdSchema,
  type DeviceId,
  type DeviceReceipt,
  type Envelope,
  type LogEvent,
  type MessageId,
  memberIdSchema,
} from '@sealpost/protocol';
import { COMMITMENT, messageId, ORGANISATION } from './material.ts';
import { CARRIERS, type PlannedMessage } from './plan.ts';
import type { Node } from './servers.ts';
import { isOfTheWorld, type World } from './world.ts';

/** What a device comes to say of a message; some say at once that it was read. */
const SAID: readonly (readonly DeviceReceipt['kind'][])[] = [
  ['delivered'],
  ['delivered', 'read'],
  ['delivered', 'read', 'acknowledged'],
  ['delivered', 'acknowledged'],
  ['read'],
  ['read'],
  ['unreadable'],
  [],
];
const ASKED_AGAIN_AFTER = 700;
const MEMBER = memberIdSchema.parse('alice');
const AGENT = agentIdSchema.parse('acme-incidents');

export class People {
  readonly #world: World;
  readonly #process;
  readonly #envelopes = new Map<string, Envelope>();
  readonly #offlineUntil = new Map<string, number>();
  /** Messages whose sender has not yet been told that they are accepted. */
  unaccepted = 0;
  nodes: () => readonly Node[] = () => [];

  constructor(world: World) {
    this.#world = world;
    this.#process = world.scheduler.process('people');
    world.onQueued = (device, message, id) => this.#onQueued(device as DeviceId, message, id);
  }

  goOffline(): void {
    const { plan, random, scheduler } = this.#world;
    const devices = plan.conversations.flatMap((conversation) => conversation.devices);
    if (devices.length === 0) return;
    const device = random.pick(devices);
    const until = scheduler.now + random.integer(90_000);
    this.#offlineUntil.set(device, until);
    this.#world.tell(`people: ${device} is offline for ${until - scheduler.now} ms`);
  }

  send(message: PlannedMessage): void {
    const world = this.#world;
    this.unaccepted += 1;
    const intake = world.host(`intake-${message.number}`);
    const database = world.open(intake);
    world.scheduler.spawn(intake.process, async () => {
      await world.scheduler.sleep(message.at - world.scheduler.now);
      const at = intake.surroundings.now();
      const envelope = await this.#envelope(message, world.bundle, at);
      for (;;) {
        try {
          const { lane } = world.plan.conversations[message.conversation]!;
          await database.transaction(async (tx) => {
            const known = await tx.query('port:envelopes', '', [[envelope.message]]);
            if (known.length > 0) return;
            await tx.query('port:store', '', [envelope]);
            await tx.query('port:append', '', [lane, [acceptedOf(envelope, at)]]);
          });
          break;
        } catch (cause) {
          if (!isOfTheWorld(cause)) throw cause;
          await world.scheduler.sleep(ASKED_AGAIN_AFTER);
        }
      }
      world.hint(intake.process, 'lane');
      this.unaccepted -= 1;
      if (message.revoked) this.#takeBack(envelope.message);
    });
  }

  async #envelope(
    { number, conversation, flow: name, forms }: PlannedMessage,
    bundle: number,
    at: number,
  ): Promise<Envelope> {
    const { plan, material } = this.#world;
    const flow = this.#world.flowOf(bundle, name)!;
    const message = messageId(number);
    const steps = flow.ladder.filter(({ adapter }) => CARRIERS.some((carrier) => carrier.adapter === adapter));
    const channels = [...new Map(steps.map((step) => [step.channel, step])).values()];
    const sealed = channels.slice(forms ? 0 : 1).map(({ channel, use }) => material.part(message, name, channel, use));
    const envelope: Envelope = {
      ...{ v: 1, organisation: ORGANISATION, sender: AGENT, message, recipient: MEMBER, flow: name, bundle },
      conversation: plan.conversations[conversation]!.id,
      ...{ classification: 'internal', floor: flow.floor, created: at, expires: at + flow.expires },
      parts: [{ form: 'device', epoch: 1, ciphertext: 'AAAA' }, ...(await Promise.all(sealed))],
      ...{ blobs: [], commitment: COMMITMENT },
    };
    this.#envelopes.set(message, envelope);
    return envelope;
  }

  /** A sender who thinks better of it: asked until it is answered; what is in flight meanwhile is what the world makes of it. */
  #takeBack(message: MessageId): void {
    const { random, scheduler, judge } = this.#world;
    this.#world.busy += 1;
    scheduler.spawn(this.#process, async () => {
      await scheduler.sleep(random.integer(random.pick([500, 5_000, 60_000])));
      for (;;) {
        const nodes = this.nodes();
        const node = nodes.length === 0 ? undefined : random.pick(nodes);
        const answer = node && (await this.#world.call(node.process, () => node.delivery.revoke(message, 'sender')));
        if (answer !== undefined) {
          judge.onRevoked(message, answer.state);
          break;
        }
        await scheduler.sleep(ASKED_AGAIN_AFTER);
      }
      this.#world.busy -= 1;
    });
  }

  /** `false` when it was taken back before this device had it. */
  async #fetches(device: DeviceId, id: number): Promise<boolean> {
    const sync = this.#world.host(`sync of ${device}`);
    const database = this.#world.open(sync);
    for (;;) {
      try {
        return (await database.query('port:fetch', '', [id])).length > 0;
      } catch (cause) {
        if (!isOfTheWorld(cause)) throw cause;
        await this.#world.scheduler.sleep(ASKED_AGAIN_AFTER);
      }
    }
  }

  #onQueued(device: DeviceId, message: string, id: number): void {
    const world = this.#world;
    const { random, scheduler } = world;
    world.busy += 1;
    scheduler.spawn(this.#process, async () => {
      await scheduler.sleep(random.integer(random.pick([100, 3_000, 30_000])));
      const kinds = (await this.#fetches(device, id)) ? random.pick(SAID) : [];
      for (const kind of kinds) {
        await this.#upload(device, message, kind);
        if (random.chance(world.rates.device)) await this.#upload(device, message, kind);
        await scheduler.sleep(random.integer(random.pick([100, 10_000, 60_000])));
      }
      world.busy -= 1;
    });
  }

  async #upload(device: DeviceId, message: string, kind: DeviceReceipt['kind']): Promise<void> {
    const { random, scheduler, material, judge } = this.#world;
    const jws = await material.receipt(this.#envelopes.get(message)!, device, kind);
    for (;;) {
      const offline = (this.#offlineUntil.get(device) ?? 0) - scheduler.now;
      if (offline > 0) await scheduler.sleep(offline);
      const nodes = this.nodes();
      const node = nodes.length === 0 ? undefined : random.pick(nodes);
      const result = node && (await this.#world.call(node.process, () => node.delivery.deviceReceipt(jws, device)));
      if (result?.outcome === 'refused') throw new Error(`a receipt was refused with ${result.code}`);
      if (result !== undefined && !random.chance(this.#world.rates.device)) {
        judge.onTold(message, device, kind);
        return;
      }
      await scheduler.sleep(ASKED_AGAIN_AFTER);
    }
  }
}

function acceptedOf(envelope: Envelope, at: number): LogEvent {
  const { message, conversation, recipient, flow, bundle, floor, expires, commitment } = envelope;
  return {
    ...{ v: 1, kind: 'message.accepted', at, message, conversation, recipient, flow, bundle, floor, expires },
    envelope: COMMITMENT as Extract<LogEvent, { kind: 'message.accepted' }>['envelope'],
    commitment,
  } as LogEvent;
}
