/** A sender with a real MLS engine: makes conversations, adds devices, seals envelopes, and can be told to cheat. */
import { createMlsEngine, type GroupState, type MlsEngine, type MlsIdentity } from '@sealpost/crypto/mls';
import { commitmentOf, encodeAuthenticatedData } from '@sealpost/crypto/seal';
import {
  agentIdSchema,
  type ConversationId,
  canonicalBytes,
  conversationIdSchema,
  type DeviceId,
  type Envelope,
  envelopeSchema,
  fromBase64url,
  type MessageId,
  newMessageId,
  toBase64url,
} from '@sealpost/protocol';
import type { Content } from '@sealpost/protocol/content';
import { createVerifyCredential } from '../src/enrollment/verify-credential.ts';
import type { Gateway } from './gateway.ts';
import { ACME, NOW, type Organisation, random } from './organisation.ts';

export const INCIDENTS = agentIdSchema.parse('acme-incidents');
let messages = 0;

export interface Cheats {
  readonly content?: Partial<Content>;
  /** Sealed instead of the content. */
  readonly plaintext?: Uint8Array;
  readonly authenticatedData?: Partial<{ message: MessageId; commitment: string }>;
  /** Over the finished envelope. */
  readonly envelope?: Partial<Envelope>;
  readonly message?: MessageId;
  /** Who seals, instead of the agent. */
  readonly by?: Member;
}

export interface Member {
  readonly engine: MlsEngine;
  readonly identity: MlsIdentity;
  state: GroupState;
}

export class Agent {
  readonly engine: MlsEngine;
  readonly identity: MlsIdentity;
  readonly conversation: ConversationId;
  readonly gateway: Gateway;
  state: GroupState;
  readonly #inside: DeviceId[] = [];

  private constructor(gateway: Gateway, engine: MlsEngine, identity: MlsIdentity, state: GroupState) {
    this.gateway = gateway;
    this.engine = engine;
    this.identity = identity;
    this.state = state;
    this.conversation = state.conversation;
  }

  static async create(gateway: Gateway, organisation: Organisation): Promise<Agent> {
    const engine = createMlsEngine({ verify: createVerifyCredential(ACME, organisation.anchors) });
    const identity = await organisation.agent(INCIDENTS);
    const conversation = conversationIdSchema.parse(`con_${toBase64url(random(32)).slice(0, 22)}`);
    return new Agent(gateway, engine, identity, await engine.createGroup(conversation, identity, NOW));
  }

  /** Adds devices by a commit: the welcome for them, the commit for those already inside. */
  async add(...devices: DeviceId[]): Promise<void> {
    const add = devices.map((device) => this.gateway.claim(device));
    await this.#commit({ add, remove: [] }, devices);
  }

  async remove(device: DeviceId): Promise<void> {
    const members = await this.engine.members(this.state, NOW);
    const leaf = members.find(({ credential }) => credential.uri.endsWith(device));
    await this.#commit({ add: [], remove: [leaf?.index ?? -1] }, []);
  }

  /** Somebody else in the group, with an engine of his own. */
  async bring(identity: MlsIdentity): Promise<Member> {
    const { engine } = this;
    const bundle = await engine.createKeyPackage(identity, { notBefore: NOW - 1000, notAfter: NOW + 1e9 }, false);
    const { welcome, tree } = await this.#commit({ add: [bundle.keyPackage], remove: [] }, []);
    const joined = await engine.join(welcome ?? new Uint8Array(), tree, [bundle], identity, NOW);
    if (joined === undefined) throw new Error('not invited');
    return { engine, identity, state: joined.state };
  }

  async #commit(change: { add: Uint8Array[]; remove: number[] }, newcomers: DeviceId[]) {
    const { conversation } = this;
    const epoch = Number(this.state.epoch);
    const { next, commit, welcome, ratchetTree } = await this.engine.commit(this.state, this.identity, change, NOW);
    this.state = next;
    for (const device of this.#inside)
      this.gateway.queue(device, { kind: 'commit', conversation, epoch, message: toBase64url(commit) });
    for (const device of newcomers)
      this.gateway.queue(device, {
        kind: 'welcome',
        conversation,
        message: toBase64url(welcome ?? new Uint8Array()),
        ratchetTree: toBase64url(ratchetTree),
      });
    this.#inside.push(...newcomers);
    return { welcome, tree: ratchetTree };
  }

  async seal(subject: string, cheats: Cheats = {}): Promise<Envelope> {
    const message = cheats.message ?? newMessageId(NOW + messages++, random(10));
    const content: Content = {
      v: 1,
      kind: 'alert',
      subject,
      body: 'The data volume is 97 % full.',
      facts: [{ name: 'severity', value: 'critical' }],
      attachments: [],
      acknowledge: true,
      openingKey: toBase64url(random(32)),
      ...cheats.content,
    };
    const { conversation } = this;
    const openingKey = fromBase64url(content.openingKey) ?? new Uint8Array();
    const bytes = canonicalBytes(content);
    const commitment = commitmentOf({ openingKey, content: bytes, sender: INCIDENTS, conversation, message });
    const authenticatedData = encodeAuthenticatedData({ message, commitment, ...cheats.authenticatedData });
    const by = cheats.by ?? this;
    const epoch = Number(by.state.epoch);
    const sealed = await by.engine.encrypt(by.state, by.identity, cheats.plaintext ?? bytes, authenticatedData);
    by.state = sealed.next;
    return envelopeSchema.parse({
      v: 1,
      organisation: ACME,
      sender: INCIDENTS,
      message,
      conversation,
      recipient: 'alice',
      flow: 'incident-alerts',
      bundle: 1,
      classification: 'confidential',
      floor: 'e2ee',
      created: NOW,
      expires: NOW + 3_600_000,
      parts: [{ form: 'device', epoch, ciphertext: toBase64url(sealed.ciphertext) }],
      blobs: [],
      commitment,
      ...cheats.envelope,
    });
  }

  /** Seals and queues for these devices; answers the message. */
  async sends(devices: readonly DeviceId[], subject: string, cheats: Cheats = {}): Promise<MessageId> {
    const envelope = await this.seal(subject, cheats);
    for (const device of devices) this.deliver(device, envelope);
    return envelope.message;
  }

  deliver(device: DeviceId, envelope: Envelope): number {
    return this.gateway.queue(device, { kind: 'envelope', message: envelope.message, envelope });
  }
}
