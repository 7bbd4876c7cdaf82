/**
 * Opening an attachment (RFC 8188). Nothing is handed out before the last record has been seen and marked as last: a cut
 * blob is refused as a whole.
 */

import { concatBytes } from '@sealpost/protocol';
import { openAesGcm } from '#primitives';
import {
  DELIMITER,
  HEADER_LENGTH,
  KEY_LENGTH,
  RECORD_SIZE,
  recordKeys,
  SALT_LENGTH,
  TAG_LENGTH,
} from '../seal/records.ts';

export type BlobVerdict =
  | { readonly kind: 'ok'; readonly plaintext: Uint8Array }
  | { readonly kind: 'refused'; readonly reason: 'malformed' | 'truncated' | 'not-authentic' };

const NO_DATA = new Uint8Array(0);

const refused = (reason: Extract<BlobVerdict, { kind: 'refused' }>['reason']): BlobVerdict => ({
  kind: 'refused',
  reason,
});

export async function openBlob(sealed: Uint8Array, key: Uint8Array): Promise<BlobVerdict> {
  if (key.length !== KEY_LENGTH || sealed.length < HEADER_LENGTH) return refused('malformed');
  const recordSize = new DataView(sealed.buffer, sealed.byteOffset).getUint32(SALT_LENGTH);
  if (recordSize !== RECORD_SIZE || sealed[HEADER_LENGTH - 1] !== 0) return refused('malformed');
  return openRecords(sealed, key);
}

/** The general form, any record size and key id, which RFC 8188's own examples need. */
export async function openRecords(sealed: Uint8Array, key: Uint8Array): Promise<BlobVerdict> {
  const recordSize = new DataView(sealed.buffer, sealed.byteOffset).getUint32(SALT_LENGTH);
  const records = sealed.subarray(HEADER_LENGTH + (sealed[HEADER_LENGTH - 1] ?? 0));
  // section 2: a record holds at least the delimiter and the tag
  if (recordSize < TAG_LENGTH + 2) return refused('malformed');
  const { contentKey, nonceOf } = recordKeys(key, sealed.subarray(0, SALT_LENGTH));
  const count = Math.max(1, Math.ceil(records.length / recordSize));
  const pieces: Uint8Array[] = [];
  for (let sequence = 0; sequence < count; sequence++) {
    const ciphertext = records.subarray(sequence * recordSize, (sequence + 1) * recordSize);
    const nonce = nonceOf(sequence);
    const record = await openAesGcm({ key: contentKey, nonce, additionalData: NO_DATA, ciphertext });
    if (record === undefined) return refused('not-authentic');
    const end = record.findLastIndex((octet) => octet !== 0);
    const last = sequence === count - 1;
    if (record[end] === DELIMITER.more && last) return refused('truncated');
    if (record[end] !== (last ? DELIMITER.last : DELIMITER.more)) return refused('malformed');
    pieces.push(record.subarray(0, end));
  }
  return { kind: 'ok', plaintext: concatBytes(...pieces) };
}
