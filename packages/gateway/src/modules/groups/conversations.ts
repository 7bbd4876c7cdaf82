/**
 * Conversations as the delivery service knows them: epoch, creator, and which devices each commit added and removed. The
 * lane lock of the conversation is the mutex of its decisions, so of several commits made in one epoch exactly one wins.
 */
import { sha256 } from '@sealpost/crypto/verify';
import type { Sql } from '@sealpost/platform';
import { type ConversationId, canonicalBytes, type DeviceId, equalBytes } from '@sealpost/protocol';
import type { CommitPost, StoredPayloads } from './commit-schema.ts';
import { deviceIdsOf } from './queue-row-schema.ts';

export interface ConversationState {
  readonly conversation: ConversationId;
  readonly epoch: number;
  readonly devices: DeviceId[];
}

export interface Conversation {
  readonly creator: string;
  readonly epoch: number;
}

const STORE_COMMIT = `
INSERT INTO conversation_commit (conversation, epoch, digest, message, welcome, ratchet_tree)
VALUES ($1, $2, $3, $4, $5, $6)`;

const ADD_DEVICES = `
INSERT INTO conversation_device (conversation, device) SELECT $1, device FROM unnest($2::text[]) AS d(device)`;

export async function conversationOf(sql: Sql, conversation: ConversationId): Promise<Conversation | undefined> {
  const [row] = await sql.query<{ creator: string; epoch: number }>(
    'conversation',
    'SELECT creator, epoch FROM conversation WHERE conversation = $1',
    [conversation],
  );
  return row;
}

export async function addConversation(tx: Sql, conversation: ConversationId, creator: string): Promise<void> {
  await tx.query('conversation-add', 'INSERT INTO conversation (conversation, creator) VALUES ($1, $2)', [
    conversation,
    creator,
  ]);
}

/** Devices in the conversation, in the order of their ids; `revoked` ones wait for the commit that removes them. */
export async function devicesIn(
  sql: Sql,
  conversation: ConversationId,
  { revoked }: { readonly revoked: boolean },
): Promise<DeviceId[]> {
  return deviceIdsOf(
    await sql.query<{ device: string }>(
      'conversation-devices',
      'SELECT device FROM conversation_device WHERE conversation = $1 AND (NOT revoked OR $2) ORDER BY device',
      [conversation, revoked],
    ),
  );
}

/** Devices messages are queued for, by conversation, in the order of their ids. */
export async function devicesOf(
  sql: Sql,
  conversations: readonly ConversationId[],
): Promise<Map<ConversationId, DeviceId[]>> {
  const rows = await sql.query<{ place: number; device: string }>(
    'conversations-devices',
    `SELECT c.place::int AS place, d.device FROM unnest($1::text[]) WITH ORDINALITY AS c(conversation, place)
     JOIN conversation_device d USING (conversation) WHERE NOT d.revoked ORDER BY c.place, d.device`,
    [[...conversations]],
  );
  const byPlace = Map.groupBy(rows, ({ place }) => place);
  return new Map(
    conversations.flatMap((conversation, at) => {
      const found = byPlace.get(at + 1);
      return found === undefined ? [] : [[conversation, deviceIdsOf(found)] as const];
    }),
  );
}

export async function epochsOf(
  sql: Sql,
  conversations: readonly ConversationId[],
): Promise<Map<ConversationId, number>> {
  const rows = await sql.query<{ place: number; epoch: number }>(
    'conversation-epochs',
    `SELECT c.place::int AS place, k.epoch FROM unnest($1::text[]) WITH ORDINALITY AS c(conversation, place)
     JOIN conversation k USING (conversation)`,
    [[...conversations]],
  );
  return new Map(rows.flatMap(({ place, epoch }) => pairs(conversations[place - 1], epoch)));
}

/** Those of `conversations` that a revoked device is still a member of. */
export async function awaitingRemoval(
  sql: Sql,
  conversations: readonly ConversationId[],
): Promise<Set<ConversationId>> {
  const rows = await sql.query<{ place: number }>(
    'conversation-awaiting',
    `SELECT c.place::int AS place FROM unnest($1::text[]) WITH ORDINALITY AS c(conversation, place)
     WHERE EXISTS (SELECT 1 FROM conversation_device d WHERE d.conversation = c.conversation AND d.revoked)`,
    [[...conversations]],
  );
  return new Set(rows.flatMap(({ place }) => conversations[place - 1] ?? []));
}

function pairs(conversation: ConversationId | undefined, epoch: number): [ConversationId, number][] {
  return conversation === undefined ? [] : [[conversation, epoch]];
}

/** What makes two posts the same commit: everything in them, the order of device lists apart. */
export function digestOf({ epoch, commit, welcome, removed }: CommitPost): Uint8Array {
  const sorted = welcome === null ? null : { ...welcome, devices: [...welcome.devices].sort() };
  return sha256(canonicalBytes({ epoch, commit, welcome: sorted, removed: [...removed].sort() }));
}

/** Whether this very commit ended that epoch. */
export async function isWinner(sql: Sql, conversation: ConversationId, commit: CommitPost): Promise<boolean> {
  const [row] = await sql.query<{ digest: Uint8Array }>(
    'conversation-digest',
    'SELECT digest FROM conversation_commit WHERE conversation = $1 AND epoch = $2',
    [conversation, commit.epoch],
  );
  return row !== undefined && equalBytes(row.digest, digestOf(commit));
}

/** Moves from `epoch` to the next; answers false when the conversation is not in that epoch. */
export async function advance(tx: Sql, conversation: ConversationId, epoch: number): Promise<boolean> {
  const rows = await tx.query(
    'conversation-advance',
    'UPDATE conversation SET epoch = epoch + 1 WHERE conversation = $1 AND epoch = $2 RETURNING epoch',
    [conversation, epoch],
  );
  return rows.length === 1;
}

export async function storeCommit(
  tx: Sql,
  conversation: ConversationId,
  post: CommitPost,
  { commit, welcome }: StoredPayloads,
): Promise<void> {
  await tx.query('conversation-commit', STORE_COMMIT, [
    conversation,
    post.epoch,
    digestOf(post),
    commit,
    welcome?.message ?? null,
    welcome?.ratchetTree ?? null,
  ]);
}

export async function changeDevices(
  tx: Sql,
  conversation: ConversationId,
  { added, removed }: { readonly added: readonly DeviceId[]; readonly removed: readonly DeviceId[] },
): Promise<void> {
  await tx.query(
    'conversation-device-remove',
    'DELETE FROM conversation_device WHERE conversation = $1 AND device = ANY($2::text[])',
    [conversation, [...removed]],
  );
  await tx.query('conversation-device-add', ADD_DEVICES, [conversation, [...added]]);
}

/** The device stays a member until a commit removes it, but nothing is queued for it from here on. */
export async function markRevoked(tx: Sql, device: DeviceId): Promise<void> {
  await tx.query('conversation-device-revoke', 'UPDATE conversation_device SET revoked = true WHERE device = $1', [
    device,
  ]);
}

/** Whether the device is in a conversation with an envelope that names the blob. */
export async function mayFetch(sql: Sql, device: DeviceId, blob: string): Promise<boolean> {
  const rows = await sql.query(
    'conversation-blob',
    `SELECT 1 FROM conversation_blob b JOIN conversation_device d USING (conversation)
     WHERE b.blob = $2 AND d.device = $1 AND NOT d.revoked LIMIT 1`,
    [device, blob],
  );
  return rows.length > 0;
}
