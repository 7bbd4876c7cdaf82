/**
 * The delivery service's use cases. A commit is one transaction: compare and set the epoch, store commit and welcome once,
 * queue them for the devices before and after, append the event. Adding waits for a healthy log, removing never does.
 */
import { parseUri, sha256 } from '@sealpost/crypto/verify';
import type { Database, Sql, Surroundings } from '@sealpost/platform';
import {
  type BlobId,
  type ConversationId,
  type DeviceId,
  fromBase64url,
  type LogEvent,
  type MessageId,
  type Trust,
  toBase64url,
} from '@sealpost/protocol';
import type { Bus } from '../../platform/bus.ts';
import { reached } from '../../points.ts';
import type { Directory, KnownDevice } from '../directory/index.ts';
import { type Log, laneOf } from '../log/index.ts';
import { type CommitPost, readCommit } from './commit-schema.ts';
import type { ConversationState } from './conversations.ts';
import * as conversations from './conversations.ts';
import { groupsError } from './groups-errors.ts';
import * as pool from './key-packages.ts';
import * as queue from './queue.ts';

export interface Groups {
  /** Answers how many one-time packages the device now has. */
  uploadKeyPackages(device: KnownDevice, packages: readonly pool.UploadedPackage[]): Promise<number>;
  /** One package a distinct device, null where there is none or the device is not active. */
  claim(devices: readonly DeviceId[]): Promise<pool.ClaimedPackage[]>;
  available(device: DeviceId): Promise<number>;

  /** Idempotent for the same creator. */
  create(conversation: ConversationId, creator: string): Promise<ConversationState>;
  /** `undefined` when there is no such conversation. */
  state(conversation: ConversationId): Promise<ConversationState | undefined>;
  /** Compare and set on the epoch; a repeat of the winner answers as the first time, any other throws ERR_GROUPS_EPOCH. */
  commit(conversation: ConversationId, post: CommitPost): Promise<ConversationState>;

  /** Devices messages are queued for: in the conversation and not revoked. */
  devices(sql: Sql, conversation: ConversationId): Promise<DeviceId[]>;
  /** The same of many at once; conversations without such devices are left out. */
  devicesOf(sql: Sql, conversations: readonly ConversationId[]): Promise<Map<ConversationId, DeviceId[]>>;
  epoch(sql: Sql, conversation: ConversationId): Promise<number | undefined>;
  epochs(sql: Sql, conversations: readonly ConversationId[]): Promise<Map<ConversationId, number>>;
  creator(sql: Sql, conversation: ConversationId): Promise<string | undefined>;
  /** Conversations with a revoked device still in: no application message is taken until a commit removes it. */
  awaitsRemoval(sql: Sql, conversations: readonly ConversationId[]): Promise<Set<ConversationId>>;
  mayFetch(device: DeviceId, blob: BlobId): Promise<boolean>;

  enqueue(tx: Sql, devices: readonly DeviceId[], item: queue.QueuedItem): Promise<void>;
  /** Out of the queue of each device that has not fetched it, inside a transaction that holds the lane. */
  unqueue(tx: Sql, message: MessageId): Promise<void>;
  queue(device: DeviceId, after: number, limit: number): ReturnType<typeof queue.read>;
  waiting(devices: readonly DeviceId[]): Promise<DeviceId[]>;
  acknowledge(device: DeviceId, cursor: number): Promise<void>;
  cursors(device: DeviceId): Promise<queue.Cursors>;
}

export interface GroupsDeps {
  readonly database: Database;
  readonly surroundings: Surroundings;
  readonly trust: Trust;
  readonly log: Pick<Log, 'append' | 'healthy' | 'lockLane'>;
  readonly bus: Pick<Bus, 'hint'>;
  readonly directory: Pick<Directory, 'holdActive' | 'inactive' | 'onRevoking'>;
}

export function createGroups(deps: GroupsDeps): Groups {
  const { database, surroundings, trust, log, bus, directory } = deps;

  directory.onRevoking(async (tx, device) => {
    await conversations.markRevoked(tx, device);
    await pool.removeAll(tx, device);
    await queue.removeQueue(tx, device);
  });

  const append = (tx: Sql, conversation: ConversationId, event: LogEvent) =>
    log.append(tx, [{ laneKey: conversation, event }]);

  const stateOf = async (sql: Sql, conversation: ConversationId): Promise<ConversationState | undefined> => {
    const known = await conversations.conversationOf(sql, conversation);
    if (known === undefined) return undefined;
    const devices = await conversations.devicesIn(sql, conversation, { revoked: true });
    return { conversation, epoch: known.epoch, devices };
  };

  const create = async (tx: Sql, conversation: ConversationId, creator: string): Promise<boolean> => {
    await log.lockLane(tx, laneOf(conversation));
    const known = await conversations.conversationOf(tx, conversation);
    if (known !== undefined && known.creator !== creator) throw groupsError('ERR_GROUPS_CREATOR');
    if (known !== undefined) return false;
    await conversations.addConversation(tx, conversation, creator);
    await append(tx, conversation, { v: 1, kind: 'group.created', at: surroundings.now(), conversation, creator });
    return true;
  };

  /** Answers false when this very commit had won before. */
  const decide = async (tx: Sql, conversation: ConversationId, post: CommitPost): Promise<boolean> => {
    await log.lockLane(tx, laneOf(conversation));
    const known = await conversations.conversationOf(tx, conversation);
    if (known === undefined) throw groupsError('ERR_GROUPS_MISSING');
    if (await conversations.isWinner(tx, conversation, post)) return false;
    if (known.epoch !== post.epoch) throw lost(known.epoch);
    const payloads = readCommit(conversation, post);
    const added = post.welcome?.devices ?? [];
    const before = await conversations.devicesIn(tx, conversation, { revoked: true });
    await requireChange(tx, before, added, post.removed);
    if (!(await conversations.advance(tx, conversation, post.epoch))) throw lost(known.epoch);
    await conversations.storeCommit(tx, conversation, post, payloads);
    const informed = await conversations.devicesIn(tx, conversation, { revoked: false });
    await conversations.changeDevices(tx, conversation, { added, removed: post.removed });
    await queue.enqueue(tx, informed, { kind: 'commit', conversation, epoch: post.epoch });
    await queue.enqueue(tx, added, { kind: 'welcome', conversation, epoch: post.epoch });
    await queue.dropPayloads(tx, [conversation]);
    await append(tx, conversation, committed(conversation, known.creator, post));
    reached('groups.before-commit');
    return true;
  };

  const requireChange = async (
    tx: Sql,
    before: readonly DeviceId[],
    added: readonly DeviceId[],
    removed: readonly DeviceId[],
  ): Promise<void> => {
    if (added.length > 0 && !log.healthy(surroundings.now()))
      throw groupsError('ERR_GROUPS_LOG_STALLED', { retryAfter: 1 });
    if (removed.some((device) => !before.includes(device))) throw misfit('/removed', 'only devices that are in');
    if (added.some((device) => before.includes(device) && !removed.includes(device)))
      throw misfit('/welcome/devices', 'only devices that are not in');
    if (added.length > 0 && (await directory.holdActive(tx, added)).length > 0)
      throw misfit('/welcome/devices', 'only active devices');
  };

  const committed = (conversation: ConversationId, committer: string, { epoch, commit }: CommitPost): LogEvent => ({
    v: 1,
    kind: 'group.committed',
    at: surroundings.now(),
    conversation,
    epoch,
    committer,
    commit: toBase64url(sha256(fromBase64url(commit) ?? new Uint8Array(0))),
  });

  const stateOrMissing = async (conversation: ConversationId): Promise<ConversationState> => {
    const state = await stateOf(database, conversation);
    if (state === undefined) throw groupsError('ERR_GROUPS_MISSING');
    return state;
  };

  return {
    uploadKeyPackages: (device, packages) => pool.upload(database, device, packages, surroundings.now()),
    async claim(devices) {
      const inactive = await directory.inactive(devices);
      const active = devices.filter((device) => !inactive.includes(device));
      const claimed = await pool.claim(database, active, surroundings.now());
      reached('groups.claimed');
      const given = new Map(claimed.map(({ device, keyPackage }) => [device, keyPackage]));
      return [...new Set(devices)].map((device) => ({ device, keyPackage: given.get(device) ?? null }));
    },
    available: (device) => pool.available(database, device, surroundings.now()),

    async create(conversation, creator) {
      const uri = parseUri(creator);
      if (uri?.kind !== 'agent' || uri.organisation !== trust.organisation)
        throw groupsError('ERR_GROUPS_CREATOR_NAME');
      const created = await database.transaction((tx) => create(tx, conversation, creator));
      reached('groups.created');
      if (created) bus.hint('lane');
      return await stateOrMissing(conversation);
    },
    state: (conversation) => stateOf(database, conversation),
    async commit(conversation, post) {
      const moved = await database.transaction((tx) => decide(tx, conversation, post));
      reached('groups.committed');
      if (moved) {
        bus.hint('queue');
        bus.hint('lane');
      }
      return await stateOrMissing(conversation);
    },

    devices: (sql, conversation) => conversations.devicesIn(sql, conversation, { revoked: false }),
    devicesOf: conversations.devicesOf,
    epoch: async (sql, conversation) => (await conversations.conversationOf(sql, conversation))?.epoch,
    epochs: conversations.epochsOf,
    creator: async (sql, conversation) => (await conversations.conversationOf(sql, conversation))?.creator,
    awaitsRemoval: conversations.awaitingRemoval,
    mayFetch: (device, blob) => conversations.mayFetch(database, device, blob),

    enqueue: queue.enqueue,
    unqueue: queue.unqueue,
    queue: (device, after, limit) => queue.read(database, device, after, limit, surroundings.now()),
    waiting: (devices) => queue.waiting(database, devices),
    acknowledge: (device, cursor) => queue.acknowledge(database, device, cursor),
    cursors: (device) => queue.cursorsOf(database, device),
  };
}

/** The epoch as decimal digits, so that the caller can read it. */
function lost(epoch: number) {
  return groupsError('ERR_GROUPS_EPOCH', { details: [{ pointer: '/epoch', detail: String(epoch) }] });
}

function misfit(pointer: string, detail: string) {
  return groupsError('ERR_GROUPS_DEVICES', { details: [{ pointer, detail }] });
}
