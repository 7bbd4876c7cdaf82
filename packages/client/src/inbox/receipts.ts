/**
 * Receipts: signed with the device key and queued in the very write that stores what they say happened, so that neither
 * is ever there without the other. They leave the queue once the gateway has answered about them.
 */
import { type Signer, signJws } from '@sealpost/crypto/signer';
import {
  type ConversationId,
  DEVICE_RECEIPT_KINDS,
  DEVICE_RECEIPT_TYPE,
  type DeviceReceipt,
  fromUtf8,
  type MessageId,
  type Timestamp,
  utf8,
} from '@sealpost/protocol';
import type { DeviceIdentity } from '../device.ts';
import type { DeviceStore } from '../store/store.ts';

export interface QueuedReceipt {
  readonly name: string;
  readonly jws: string;
}

export interface ReceiptResult {
  readonly outcome: 'recorded' | 'duplicate' | 'refused';
  readonly code?: string | undefined;
}

/** What a receipt is for: exactly this content. */
export interface ReceiptSubject {
  readonly message: MessageId;
  readonly conversation: ConversationId;
  readonly commitment: string;
}

const PREFIX = 'receipt/';
/** What one frame and one request take. */
const BATCH = 100;

/** Name and value to write. Names sort in the order things happened. */
export async function receiptChange(
  kind: DeviceReceipt['kind'],
  { message, conversation, commitment }: ReceiptSubject,
  by: { readonly identity: DeviceIdentity; readonly signer: Signer },
  at: Timestamp,
): Promise<readonly [string, Uint8Array]> {
  const { organisation, device } = by.identity;
  const receipt: DeviceReceipt = { v: 1, organisation, kind, device, message, conversation, commitment, at };
  const jws = await signJws(DEVICE_RECEIPT_TYPE, receipt, by.signer);
  const place = `${String(at).padStart(16, '0')}/${DEVICE_RECEIPT_KINDS.indexOf(kind)}`;
  return [`${PREFIX}${place}/${message}`, utf8(jws)];
}

/** The oldest queued receipts, as many as fit one batch. */
export async function nextReceipts(store: DeviceStore): Promise<QueuedReceipt[]> {
  const names = (await store.list(PREFIX)).sort().slice(0, BATCH);
  const queued: QueuedReceipt[] = [];
  for (const name of names) {
    const bytes = await store.read(name);
    if (bytes !== undefined) queued.push({ name, jws: fromUtf8(bytes) });
  }
  return queued;
}

export async function queuedCount(store: DeviceStore): Promise<number> {
  return (await store.list(PREFIX)).length;
}

/** Takes answered receipts out of the queue; answers the codes of those that were refused. */
export async function settleReceipts(
  store: DeviceStore,
  sent: readonly QueuedReceipt[],
  results: readonly ReceiptResult[],
): Promise<string[]> {
  await store.write(new Map(sent.map(({ name }) => [name, null])));
  return results.filter(({ outcome }) => outcome === 'refused').map(({ code }) => code ?? 'ERR_CLIENT_RECEIPT');
}
