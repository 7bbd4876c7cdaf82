/**
 * The rows of `agent_group`. Every write names the version it was made from and the lease it was made under; one that no
 * longer holds changes nothing and says so. Taking the lease locks nothing for long: it is a row with a time.
 */
import type { Sql } from '@sealpost/platform';
import type { AgentId, ConversationId, MemberId, Timestamp } from '@sealpost/protocol';
import { agentsError } from './agents-errors.ts';

export interface GroupRow {
  readonly conversation: ConversationId;
  readonly epoch: number;
  readonly version: number;
  readonly lease_epoch: number;
  readonly storage_key: string | null;
  readonly snapshot: Uint8Array | null;
  readonly ratchet: Uint8Array | null;
  readonly pending_key: string | null;
  readonly pending_snapshot: Uint8Array | null;
  readonly pending_post: Uint8Array | null;
}

/** Whose row, from which version, under which lease. */
export interface Hold {
  readonly agent: AgentId;
  readonly member: MemberId;
  readonly version: number;
  readonly leaseEpoch: number;
}

const COLUMNS =
  'conversation, epoch, version, lease_epoch, storage_key, snapshot, ratchet, pending_key, pending_snapshot, pending_post';

const INSERT =
  'INSERT INTO agent_group (agent, member, conversation) VALUES ($1, $2, $3) ON CONFLICT (agent, member) DO NOTHING';

/** A new owner gets the next fencing epoch; the same one keeps its own while its time runs. */
const ACQUIRE = `
UPDATE agent_group SET lease_owner = $3, lease_until = $5,
  lease_epoch = CASE WHEN lease_owner = $3 AND lease_until > $4 THEN lease_epoch ELSE lease_epoch + 1 END
WHERE agent = $1 AND member = $2 AND (lease_owner = $3 OR lease_until <= $4)
RETURNING ${COLUMNS}`;

const HELD = 'WHERE agent = $1 AND member = $2 AND version = $3 AND lease_epoch = $4';

export async function ensureRow(sql: Sql, agent: AgentId, member: MemberId, conversation: ConversationId) {
  await sql.query('agent-group-add', INSERT, [agent, member, conversation]);
}

/** `undefined` while somebody else holds it. */
export async function acquire(
  sql: Sql,
  { agent, member, owner }: { agent: AgentId; member: MemberId; owner: string },
  now: Timestamp,
  until: Timestamp,
): Promise<GroupRow | undefined> {
  const [row] = await sql.query<GroupRow>('agent-group-acquire', ACQUIRE, [agent, member, owner, now, until]);
  return row;
}

export async function release(sql: Sql, { agent, member, leaseEpoch }: Hold): Promise<void> {
  await sql.query(
    'agent-group-release',
    'UPDATE agent_group SET lease_until = 0 WHERE agent = $1 AND member = $2 AND lease_epoch = $3',
    [agent, member, leaseEpoch],
  );
}

/** Locks the row for this transaction. Throws ERR_AGENTS_BUSY when it is not held any more. */
export async function lock(tx: Sql, hold: Hold): Promise<void> {
  const text = `SELECT version FROM agent_group ${HELD} FOR UPDATE`;
  requireHeld(await tx.query('agent-group-lock', text, key(hold)));
}

export async function saveSnapshot(
  tx: Sql,
  hold: Hold,
  { snapshot, storageKey }: { readonly snapshot: Uint8Array; readonly storageKey: string },
): Promise<void> {
  const text = `UPDATE agent_group SET snapshot = $5, storage_key = $6, ratchet = NULL, version = version + 1 ${HELD} RETURNING version`;
  requireHeld(await tx.query('agent-group-snapshot', text, [...key(hold), snapshot, storageKey]));
}

export async function saveRatchet(tx: Sql, hold: Hold, ratchet: Uint8Array): Promise<void> {
  const text = `UPDATE agent_group SET ratchet = $5, version = version + 1 ${HELD} RETURNING version`;
  requireHeld(await tx.query('agent-group-ratchet', text, [...key(hold), ratchet]));
}

export async function savePending(
  tx: Sql,
  hold: Hold,
  pending: { readonly storageKey: string; readonly snapshot: Uint8Array; readonly post: Uint8Array },
): Promise<void> {
  const text = `UPDATE agent_group SET pending_key = $5, pending_snapshot = $6, pending_post = $7, version = version + 1 ${HELD} RETURNING version`;
  const { storageKey, snapshot, post } = pending;
  requireHeld(await tx.query('agent-group-pending', text, [...key(hold), storageKey, snapshot, post]));
}

/** The pending commit was taken: its state is the state now. */
export async function promote(sql: Sql, hold: Hold): Promise<void> {
  const text = `UPDATE agent_group SET snapshot = pending_snapshot, storage_key = pending_key, ratchet = NULL, epoch = epoch + 1,
    pending_key = NULL, pending_snapshot = NULL, pending_post = NULL, version = version + 1 ${HELD} AND pending_key IS NOT NULL RETURNING version`;
  requireHeld(await sql.query('agent-group-promote', text, key(hold)));
}

/** The pending commit was refused and will never be taken. */
export async function dropPending(sql: Sql, hold: Hold): Promise<void> {
  const text = `UPDATE agent_group SET pending_key = NULL, pending_snapshot = NULL, pending_post = NULL, version = version + 1 ${HELD} RETURNING version`;
  requireHeld(await sql.query('agent-group-drop', text, key(hold)));
}

function key({ agent, member, version, leaseEpoch }: Hold): unknown[] {
  return [agent, member, version, leaseEpoch];
}

function requireHeld(rows: readonly unknown[]): void {
  if (rows.length === 0) throw agentsError('ERR_AGENTS_BUSY', { retryAfter: 1 });
}
