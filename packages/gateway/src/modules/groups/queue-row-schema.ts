/**
 * Rows of a device's queue become sync items. Payloads were checked when they were taken in; the envelope loses its
 * carrier parts, which are sealed to the dispatcher and none of a device's business.
 */
import {
  type ConversationId,
  type DeviceId,
  type Envelope,
  fromUtf8,
  type MessageId,
  type SyncItem,
  toBase64url,
} from '@sealpost/protocol';

export interface QueueRow {
  readonly cursor: number;
  readonly kind: SyncItem['kind'];
  readonly conversation: string;
  readonly epoch: number | null;
  readonly message: string | null;
  readonly commit: Uint8Array | null;
  readonly welcome: Uint8Array | null;
  readonly ratchet_tree: Uint8Array | null;
  readonly body: Uint8Array | null;
}

/** `undefined` for a row whose payload has gone (an envelope that expired in between). */
export function syncItem(row: QueueRow): SyncItem | undefined {
  const conversation = row.conversation as ConversationId;
  if (row.kind === 'commit' && row.commit !== null && row.epoch !== null)
    return { kind: 'commit', conversation, epoch: row.epoch, message: toBase64url(row.commit) };
  if (row.kind === 'welcome' && row.welcome !== null && row.ratchet_tree !== null)
    return {
      kind: 'welcome',
      conversation,
      message: toBase64url(row.welcome),
      ratchetTree: toBase64url(row.ratchet_tree),
    };
  if (row.kind !== 'envelope' || row.body === null || row.message === null) return undefined;
  const envelope = JSON.parse(fromUtf8(row.body)) as Envelope;
  const parts = envelope.parts.filter(({ form }) => form === 'device');
  if (parts.length === 0) return undefined;
  return { kind: 'envelope', message: row.message as MessageId, envelope: { ...envelope, parts } };
}

export function deviceIdsOf(rows: readonly { readonly device: string }[]): DeviceId[] {
  return rows.map(({ device }) => device as DeviceId);
}
