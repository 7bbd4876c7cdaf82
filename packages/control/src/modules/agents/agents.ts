/**
 * Agents send in conversations of one agent with one member. A conversation is used by one process at a time (a lease with
 * a fencing epoch) and within it by one task at a time, so that no generation of the ratchet is ever used twice.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { createMlsEngine, type MlsEngine } from '@sealpost/crypto/mls';
import type { DirectoryDevice } from '@sealpost/crypto/verify';
import type { Database, KeyStore, Logger, Sql, Surroundings } from '@sealpost/platform';
import {
  type AgentId,
  type ConversationId,
  conversationIdSchema,
  type MemberId,
  type Trust,
  toBase64url,
} from '@sealpost/protocol';
import type { GatewayClient } from '../../gateway/gateway-client.ts';
import type { Enrollment } from '../enrollment/index.ts';
import { createAgentIdentities } from './agent-identity.ts';
import { agentsError } from './agents-errors.ts';
import { CommitRefused, Conversation, type Known } from './conversation.ts';
import { anchorsOf, credentialCheck } from './credentials.ts';
import { acquire, ensureRow, type GroupRow, release } from './group-store.ts';
import { createHeads } from './heads.ts';
import { createKeyring } from './keyring.ts';
import { changeFor, isNothing } from './membership.ts';
import { createQueues } from './queues.ts';
import { resolveRecipient } from './recipients.ts';

export interface OpenConversation {
  readonly conversation: ConversationId;
  /** Of the next message. */
  readonly epoch: number;
}

export interface HeldConversation extends OpenConversation {
  /**
   * Encrypts for the conversation's devices and stores the ratchet step together with what `store` writes, in one
   * transaction. What `store` throws undoes both. Use the ciphertext for nothing before this returns.
   */
  sealAndStore<T>(
    plaintext: Uint8Array,
    authenticatedData: Uint8Array,
    store: (tx: Sql, ciphertext: Uint8Array) => Promise<T>,
  ): Promise<T>;
}

export interface Agents {
  /** The member's active devices, verified; none for a member without. Throws ERR_AGENTS_DIRECTORY and its siblings. */
  resolve(member: MemberId): Promise<readonly DirectoryDevice[]>;
  /**
   * Runs `work` while this process holds the conversation, made on first use and brought to the devices the directory
   * proves. Throws ERR_AGENTS_NO_DEVICE, ERR_AGENTS_BUSY, ERR_AGENTS_STALE.
   */
  withConversation<T>(agent: AgentId, member: MemberId, work: (held: HeldConversation) => Promise<T>): Promise<T>;
  /** Makes or adjusts the conversation and sends nothing. */
  conversationFor(agent: AgentId, member: MemberId): Promise<OpenConversation>;
}

export interface AgentsDeps {
  readonly database: Database;
  readonly gateway: Pick<
    GatewayClient,
    'directory' | 'claimKeyPackages' | 'createConversation' | 'conversation' | 'commit'
  >;
  readonly enrollment: Pick<Enrollment, 'agentChain' | 'standing'>;
  readonly keys: KeyStore;
  readonly trust: Trust;
  readonly surroundings: Surroundings;
  readonly logger: Logger;
}

/** How long a conversation waits for a process that was killed. One that takes longer is fenced off, never let through. */
const LEASE = 20_000;
const LEASE_TRIES = 100;
const BETWEEN = 50;
/** A commit is refused when a device goes between lookup and commit; each time everything is looked up again. */
const COMMIT_TRIES = 3;
const REMEMBERED = 10_000;

export function createAgents(deps: AgentsDeps): Agents {
  const { database, gateway, enrollment, surroundings, trust, logger } = deps;
  const owner = surroundings.uuid();
  const anchors = anchorsOf(trust);
  const engine: MlsEngine = createMlsEngine({ verify: credentialCheck(anchors) });
  const heads = createHeads({ sql: database, surroundings });
  const conversationDeps = { database, gateway, engine, keyring: createKeyring(deps), surroundings };
  const membershipDeps = { gateway, engine, anchors, surroundings, logger };
  const identities = createAgentIdentities(deps);
  const queues = createQueues();
  const remembered = new Map<ConversationId, Known>();
  const met = new Set<ConversationId>();

  const resolve = (member: MemberId) =>
    resolveRecipient(member, { gateway, enrollment, heads, trust, surroundings, logger });

  const take = async (agent: AgentId, member: MemberId): Promise<GroupRow> => {
    const fresh = conversationIdSchema.parse(`con_${toBase64url(surroundings.random(17)).slice(0, 22)}`);
    await ensureRow(database, agent, member, fresh);
    for (let attempt = 1; attempt <= LEASE_TRIES; attempt++) {
      const now = surroundings.now();
      const row = await acquire(database, { agent, member, owner }, now, now + LEASE);
      if (row !== undefined) return row;
      await pause(BETWEEN);
    }
    throw agentsError('ERR_AGENTS_BUSY', { retryAfter: 1 });
  };

  /**
   * A process that meets a conversation for the first time ends its epoch: had the database been restored to an earlier
   * moment of that epoch, generations would come twice, and nothing but the gateway's order of commits could tell.
   */
  const adjust = async (conversation: Conversation, devices: readonly DirectoryDevice[]): Promise<void> => {
    const change = await changeFor(conversation.known.state, devices, membershipDeps);
    const first = !met.has(conversation.id) && conversation.wasLoaded;
    if (first || !isNothing(change)) await conversation.change(change);
    met.add(conversation.id);
    if (change.reached === 0) throw agentsError('ERR_AGENTS_NO_DEVICE');
  };

  /** Everything between taking the lease and letting go; what fails in between is forgotten and read again. */
  const hold = async <T>(
    agent: AgentId,
    member: MemberId,
    devices: readonly DirectoryDevice[],
    work: (held: HeldConversation) => Promise<T>,
  ): Promise<T> => {
    const identity = await identities.of(agent);
    const row = await take(agent, member);
    const { conversation: id, version, lease_epoch: leaseEpoch } = row;
    const conversation = new Conversation(conversationDeps, identity, { agent, member, version, leaseEpoch }, id);
    const known = remembered.get(id);
    try {
      await conversation.open(row, known);
      remembered.delete(id);
      await adjust(conversation, devices);
      const result = await work({
        conversation: id,
        epoch: conversation.known.epoch,
        sealAndStore: (plaintext, data, store) => conversation.sealAndStore(plaintext, data, store),
      });
      remember(remembered, id, conversation.known);
      return result;
    } finally {
      // A lease that cannot be given back runs out.
      await release(database, conversation.hold).catch(() => undefined);
    }
  };

  const withConversation: Agents['withConversation'] = async (agent, member, work) => {
    for (let attempt = 1; attempt <= COMMIT_TRIES; attempt++) {
      const devices = await resolve(member);
      try {
        return await queues.inTurn(`${agent} ${member}`, () => hold(agent, member, devices, work));
      } catch (error) {
        if (!(error instanceof CommitRefused)) throw error;
        logger.warn('commit refused', { count: attempt });
      }
    }
    throw agentsError('ERR_AGENTS_COMMIT', { retryAfter: 1 });
  };

  return {
    resolve,
    withConversation,
    conversationFor: (agent, member) =>
      withConversation(agent, member, async ({ conversation, epoch }) => ({ conversation, epoch })),
  };
}

function remember(all: Map<ConversationId, Known>, id: ConversationId, known: Known): void {
  const oldest = all.size >= REMEMBERED ? all.keys().next().value : undefined;
  if (oldest !== undefined) all.delete(oldest);
  all.set(id, known);
}
