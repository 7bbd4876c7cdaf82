/**
 * One conversation while this process holds it: loaded or created, brought to the gateway's epoch, changed by commits and
 * sent from. Whatever is made is stored before it leaves: a commit as pending before it is posted, a ratchet step in the
 * transaction of what was sealed with it. After a crash the pending commit is posted again, the same bytes.
 */
import type { GroupState, MlsEngine } from '@sealpost/crypto/mls';
import type { Database, Sql, Surroundings } from '@sealpost/platform';
import { type ConversationId, fromUtf8, gatewayApi, SealpostError, toBase64url, utf8 } from '@sealpost/protocol';
import type { z } from 'zod';
import type { CommitPost, GatewayClient } from '../../gateway/gateway-client.ts';
import { reached } from '../../points.ts';
import type { AgentIdentity } from './agent-identity.ts';
import { agentsError } from './agents-errors.ts';
import {
  dropPending,
  type GroupRow,
  type Hold,
  lock,
  promote,
  savePending,
  saveRatchet,
  saveSnapshot,
} from './group-store.ts';
import type { Keyring, StorageKey } from './keyring.ts';
import type { Change } from './membership.ts';
import { close, open, type Place } from './sealed-state.ts';

export interface ConversationDeps {
  readonly database: Database;
  readonly gateway: Pick<GatewayClient, 'createConversation' | 'conversation' | 'commit'>;
  readonly engine: MlsEngine;
  readonly keyring: Keyring;
  readonly surroundings: Surroundings;
}

/** What is known of a conversation in memory; usable only while the row has this version. */
export interface Known {
  readonly version: number;
  readonly epoch: number;
  readonly state: GroupState;
  readonly storageKey: StorageKey;
}

/** The gateway refused a commit for good: who is in or may be added has changed since it was made. */
export class CommitRefused extends Error {}

/** DESIGN section 6: storage keys are replaced with each epoch and at least daily. */
const KEY_LIFETIME = 86_400_000;

type Post = z.infer<typeof gatewayApi.commitPostSchema>;

export class Conversation {
  readonly id: ConversationId;
  readonly #deps: ConversationDeps;
  readonly #identity: AgentIdentity;
  #hold: Hold;
  #known: Known | undefined;
  #loaded = false;

  constructor(deps: ConversationDeps, identity: AgentIdentity, hold: Hold, id: ConversationId) {
    this.#deps = deps;
    this.#identity = identity;
    this.#hold = hold;
    this.id = id;
  }

  get hold(): Hold {
    return this.#hold;
  }

  get known(): Known {
    if (this.#known === undefined) throw new TypeError('the conversation is not open yet');
    return this.#known;
  }

  /** Whether its state was read from the database, in the middle of an epoch. */
  get wasLoaded(): boolean {
    return this.#loaded;
  }

  /** From the row, or from memory where that is of the same version. Throws ERR_AGENTS_STALE when the gateway has seen more. */
  async open(row: GroupRow, remembered: Known | undefined): Promise<void> {
    if (row.pending_post !== null) await this.#resume(row, row.pending_post);
    else if (remembered !== undefined && remembered.version > row.version) throw agentsError('ERR_AGENTS_STALE');
    else if (remembered?.version === row.version) this.#known = remembered;
    else if (row.snapshot === null) await this.#create();
    else {
      await this.#load(row, row.snapshot);
      await this.#requireGatewayAt(row.epoch);
      this.#loaded = true;
    }
    if (this.#deps.surroundings.now() - this.known.storageKey.made > KEY_LIFETIME)
      await this.#snapshot(this.known.state);
  }

  /** Ends the epoch with one commit. Throws CommitRefused when it was not taken and never will be. */
  async change({ add, remove }: Change): Promise<void> {
    const { engine, surroundings } = this.#deps;
    const { state, epoch } = this.known;
    const change = { add: add.map(({ keyPackage }) => keyPackage), remove: remove.map(({ leaf }) => leaf) };
    const made = await engine.commit(state, this.#identity.mls, change, surroundings.now());
    const post: Post = {
      epoch,
      commit: toBase64url(made.commit),
      welcome:
        made.welcome === undefined
          ? null
          : {
              message: toBase64url(made.welcome),
              ratchetTree: toBase64url(made.ratchetTree),
              devices: add.map(({ device }) => device),
            },
      removed: remove.map(({ device }) => device),
    };
    const storageKey = await this.#written(async (tx) => {
      const fresh = this.#deps.keyring.add(this.id);
      const snapshot = await close(engine.encodeState(made.next), fresh.key, this.#at(epoch + 1, 'snapshot'));
      const sealedPost = await close(utf8(JSON.stringify(post)), fresh.key, this.#at(epoch, 'post'));
      await savePending(tx, this.#hold, { storageKey: fresh.id, snapshot, post: sealedPost });
      return fresh;
    });
    reached('agents.pending');
    await this.#post(post);
    reached('agents.posted');
    await this.#promote({ epoch: epoch + 1, state: made.next, storageKey });
  }

  /** One ratchet step, and what the caller stores beside it, in one transaction; the ciphertext leaves only after that. */
  async sealAndStore<T>(
    plaintext: Uint8Array,
    authenticatedData: Uint8Array,
    store: (tx: Sql, ciphertext: Uint8Array) => Promise<T>,
  ): Promise<T> {
    const { database, engine } = this.#deps;
    const { state, epoch, storageKey } = this.known;
    const { next, ciphertext } = await engine.encrypt(state, this.#identity.mls, plaintext, authenticatedData);
    const ratchet = await close(engine.encodeRatchet(next), storageKey.key, this.#at(epoch, 'ratchet'));
    const stored = await database.transaction(async (tx) => {
      await saveRatchet(tx, this.#hold, ratchet);
      return store(tx, ciphertext);
    });
    this.#moved({ epoch, state: next, storageKey });
    return stored;
  }

  /** RFC 9420 section 11; the gateway takes the same creation twice. */
  async #create(): Promise<void> {
    const { gateway, engine, surroundings } = this.#deps;
    await gateway.createConversation(this.id, this.#identity.uri);
    await this.#requireGatewayAt(0);
    reached('agents.created');
    await this.#snapshot(await engine.createGroup(this.id, this.#identity.mls, surroundings.now()));
  }

  /** Stores everything under a fresh storage key and drops the older ones. */
  async #snapshot(state: GroupState): Promise<void> {
    const epoch = Number(state.epoch);
    const storageKey = await this.#written(async (tx) => {
      const fresh = this.#deps.keyring.add(this.id);
      const snapshot = await close(this.#deps.engine.encodeState(state), fresh.key, this.#at(epoch, 'snapshot'));
      await saveSnapshot(tx, this.#hold, { snapshot, storageKey: fresh.id });
      return fresh;
    });
    this.#known = { version: this.#hold.version, epoch, state, storageKey };
    await this.#prune(storageKey.id);
  }

  async #load(row: GroupRow, sealed: Uint8Array): Promise<void> {
    const { engine, keyring } = this.#deps;
    const storageKey = keyring.get(this.id, row.storage_key);
    const snapshot = await open(sealed, storageKey.key, this.#at(row.epoch, 'snapshot'));
    const ratchet =
      row.ratchet === null ? undefined : await open(row.ratchet, storageKey.key, this.#at(row.epoch, 'ratchet'));
    const state = engine.decodeState(snapshot, ratchet);
    this.#known = { version: row.version, epoch: row.epoch, state, storageKey };
  }

  /** A commit made before a crash, or while the gateway was away: the same bytes again. */
  async #resume(row: GroupRow, sealedPost: Uint8Array): Promise<void> {
    const { engine, keyring } = this.#deps;
    const storageKey = keyring.get(this.id, row.pending_key);
    const text = fromUtf8(await open(sealedPost, storageKey.key, this.#at(row.epoch, 'post')));
    const post = gatewayApi.commitPostSchema.parse(JSON.parse(text));
    const next = row.pending_snapshot ?? new Uint8Array();
    const snapshot = await open(next, storageKey.key, this.#at(row.epoch + 1, 'snapshot'));
    await this.#post(post);
    await this.#promote({ epoch: row.epoch + 1, state: engine.decodeState(snapshot), storageKey });
  }

  async #post(post: CommitPost): Promise<void> {
    try {
      await this.#deps.gateway.commit(this.id, post);
    } catch (error) {
      if (!(error instanceof SealpostError) || !isFinal(error)) throw error;
      if (error.code === 'ERR_GROUPS_EPOCH') throw agentsError('ERR_AGENTS_STALE', { cause: error });
      await dropPending(this.#deps.database, this.#hold);
      this.#stepped();
      throw new CommitRefused('the gateway refused the commit', { cause: error });
    }
  }

  async #promote(after: Omit<Known, 'version'>): Promise<void> {
    await promote(this.#deps.database, this.#hold);
    this.#moved(after);
    reached('agents.promoted');
    await this.#prune(after.storageKey.id);
  }

  /** What was sealed under an older key is gone with it. */
  async #prune(id: string): Promise<void> {
    await this.#deps.database.transaction(async (tx) => {
      await lock(tx, this.#hold);
      this.#deps.keyring.keepOnly(this.id, [id]);
    });
  }

  async #requireGatewayAt(epoch: number): Promise<void> {
    const seen = await this.#deps.gateway.conversation(this.id);
    if (seen?.epoch !== epoch) throw agentsError('ERR_AGENTS_STALE');
  }

  /** A write under the row's lock, which is what guards the keyring. */
  async #written<T>(work: (tx: Sql) => Promise<T>): Promise<T> {
    const result = await this.#deps.database.transaction(async (tx) => {
      await lock(tx, this.#hold);
      return work(tx);
    });
    this.#stepped();
    return result;
  }

  #stepped(): void {
    this.#hold = { ...this.#hold, version: this.#hold.version + 1 };
  }

  #moved(after: Omit<Known, 'version'>): void {
    this.#stepped();
    this.#known = { ...after, version: this.#hold.version };
  }

  #at(epoch: number, kind: Place['kind']): Place {
    return { conversation: this.id, epoch, kind };
  }
}

/** Whether the gateway decided, rather than was away or too busy to. */
function isFinal({ kind }: SealpostError): boolean {
  return (
    kind === 'conflict' ||
    kind === 'invalid' ||
    kind === 'missing' ||
    kind === 'denied' ||
    kind === 'integrity' ||
    kind === 'too-large'
  );
}
