/**
 * Delivery for tests: on the real log, directory and groups of one database, by a clock that tests move, stepped by hand.
 * People have a conversation of their own; messages are accepted as intake leaves them, their notices really sealed.
 */
import { createDispatchKey } from '@sealpost/crypto/dispatch';
import { sealCarrier } from '@sealpost/crypto/seal';
import type { PrivateJwk } from '@sealpost/crypto/signer';
import { agentUri, sha256 } from '@sealpost/crypto/verify';
import { createLogger } from '@sealpost/platform';
import {
  agentIdSchema,
  type Bundle,
  type CompiledFlow,
  type ConversationId,
  canonicalBytes,
  channelNameSchema,
  type Envelope,
  type EventKind,
  type EventOf,
  envelopeSchema,
  type LogEvent,
  type MessageId,
  toBase64url,
} from '@sealpost/protocol';
import { createDelivery, type Delivery } from '../../src/modules/delivery/index.ts';
import { laneOf } from '../../src/modules/log/index.ts';
import { createRouter } from '../../src/modules/routing/index.ts';
import { type Bench, createBench, type Node } from '../directory/bench.ts';
import { type Person, random } from '../directory/people.ts';
import { newConversationId } from '../groups/mls.ts';
import type { Clock } from '../support/gateway-log.ts';
import { FLOW } from './fixtures.ts';

export const ADDRESS = '+4915112345678';
export const NOTICE = { kind: 'notice', text: 'A message is waiting.', url: 'https://inbox.acme.example/' } as const;

export interface Recipient {
  readonly person: Person;
  readonly conversation: ConversationId;
  readonly address: string;
}

export interface AcceptWishes {
  /** Channels the envelope has a sealed notice for. */
  readonly forms?: readonly string[];
  readonly expires?: number;
}

export interface DeliveryBench extends Bench {
  readonly delivery: Delivery;
  readonly dispatch: { readonly id: string; readonly publicKey: string; readonly privateJwk: PrivateJwk };
  /** The bundle that runs; none unless a test puts one here. */
  bundle: Bundle | undefined;
  /** What flowAt answers; a test may put another in its place. */
  flow: (version: number) => Promise<CompiledFlow | undefined>;
  recipient(name: string, address?: string): Promise<Recipient>;
  accept(to: Recipient, wishes?: AcceptWishes): Promise<Envelope>;
  /** Lines of warnings and errors. */
  readonly logged: readonly string[];
  /** Steps until nothing is left to decide now. */
  settle(): Promise<void>;
  /** Delivery of another node on the same database. */
  deliveryOf(node: Node): Delivery;
  events(message: MessageId): Promise<LogEvent[]>;
  eventsOf<K extends EventKind>(message: MessageId, kind: K): Promise<EventOf<K>[]>;
  count(table: string, message?: MessageId): Promise<number>;
}

export async function createDeliveryBench(): Promise<DeliveryBench> {
  const bench = await createBench();
  const { database, log, clock, organisation } = bench;
  standStill(clock);
  const { key, privateJwk } = await createDispatchKey();
  await bench.bus.start();
  const logged: string[] = [];
  const logger = createLogger('delivery', 'warn', { write: (line) => void logged.push(line) });
  const deliveryOf = (node: Node) =>
    createDelivery({
      ...node,
      logger,
      surroundings: clock,
      organisation: organisation.trust.organisation,
      flowAt: (version) => made.flow(version),
      bundle: () => made.bundle,
      router: createRouter({ surroundings: clock, bundle: () => made.bundle }),
    });
  const delivery = deliveryOf(bench);
  const events = async (message: MessageId) => (await log.eventsOf(database, message)).map(({ event }) => event);
  const made: DeliveryBench = {
    ...bench,
    delivery,
    logged,
    deliveryOf,
    dispatch: { id: key.id, publicKey: key.publicKey, privateJwk },
    bundle: undefined,
    flow: async () => FLOW,
    async recipient(name, address = ADDRESS) {
      // Enrolling asks for a young checkpoint, and tests move the clock.
      await log.settle();
      const person = await bench.enroll(name);
      const conversation = newConversationId();
      const creator = agentUri(organisation.trust.organisation, agentIdSchema.parse('acme-incidents'));
      await database.query(
        't-conversation',
        'INSERT INTO conversation (conversation, creator, epoch) VALUES ($1, $2, 1)',
        [conversation, creator],
      );
      await database.query('t-device', 'INSERT INTO conversation_device (conversation, device) VALUES ($1, $2)', [
        conversation,
        person.device,
      ]);
      return { person, conversation, address };
    },
    async accept({ person, conversation, address }, wishes = {}) {
      const { forms = ['rcs-main', 'sms-main'], expires = clock.now() + FLOW.expires } = wishes;
      const message = clock.messageId();
      const sealed = forms.map((name) => {
        const channel = channelNameSchema.parse(name);
        return sealCarrier(
          { v: 1, message, channel, address, expires, payload: NOTICE },
          {
            organisation: organisation.trust.organisation,
            message,
            flow: FLOW.name,
            channel,
            use: 'notice',
            dispatchKeyId: key.id,
            publicKey: key.publicKey,
          },
        );
      });
      const envelope = envelopeSchema.parse({
        v: 1,
        organisation: organisation.trust.organisation,
        sender: 'acme-incidents',
        message,
        conversation,
        recipient: person.member,
        flow: FLOW.name,
        bundle: 1,
        classification: 'confidential',
        floor: 'e2ee',
        created: clock.now(),
        expires,
        parts: [{ form: 'device', epoch: 1, ciphertext: random(64) }, ...(await Promise.all(sealed))],
        blobs: [],
        commitment: random(32),
      });
      await store(bench, envelope);
      return envelope;
    },
    async settle() {
      while (await delivery.step());
    },
    events,
    async eventsOf<K extends EventKind>(message: MessageId, kind: K) {
      return (await events(message)).filter((event): event is EventOf<K> => event.kind === kind);
    },
    async count(table, message) {
      const where = message === undefined ? '' : ` WHERE message = '${message}'`;
      const [row] = await database.query<{ n: number }>(
        `t-count-${table}-${message}`,
        `SELECT count(*)::int AS n FROM ${table}${where}`,
      );
      return row!.n;
    },
    async [Symbol.asyncDispose]() {
      await delivery.stop();
      await bench[Symbol.asyncDispose]();
    },
  };
  return made;
}

/** From here on time passes only when a test says so: no step comes due because a machine is slow. */
function standStill(clock: Clock): void {
  const advance = clock.advance.bind(clock);
  let now = clock.now();
  clock.now = () => now;
  clock.advance = (ms) => {
    advance(ms);
    now += ms;
  };
}

/** Envelope row and acceptance in one transaction under the lane, as intake writes them. */
async function store({ database, log, clock, bus }: Bench, envelope: Envelope): Promise<void> {
  const { message, conversation, expires } = envelope;
  const body = canonicalBytes(envelope);
  const id = sha256(body);
  const accepted = {
    v: 1,
    kind: 'message.accepted',
    at: clock.now(),
    message,
    envelope: toBase64url(id),
    conversation,
    recipient: envelope.recipient,
    flow: envelope.flow,
    bundle: envelope.bundle,
    floor: envelope.floor,
    expires,
    commitment: envelope.commitment,
  } as EventOf<'message.accepted'>;
  await database.transaction(async (tx) => {
    await tx.query(
      't-envelope',
      'INSERT INTO envelope (message, sender, id, lane, conversation, expires, body) VALUES ($1, $2, $3, $4, $5, $6, $7)',
      [message, envelope.sender, id, laneOf(conversation), conversation, expires, body],
    );
    await log.append(tx, [{ laneKey: conversation, event: accepted }]);
  });
  bus.hint('lane');
}

/** Polls for something another process or loop does; no statement about how long it takes. */
export async function until<T>(probe: () => Promise<T | undefined | false>, what: string): Promise<T> {
  for (let tries = 0; tries < 2000; tries += 1) {
    const value = await probe();
    if (value !== undefined && value !== false) return value;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`never happened: ${what}`);
}
