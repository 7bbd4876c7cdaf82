/**
 * Sealing an attachment: `aes128gcm` content encoding (RFC 8188) with 64 KiB records and no key id. Records are bound to
 * their place and the last one is marked, so none can be moved, dropped or added.
 */

import { concatBytes } from '@sealpost/protocol';
import { sealAesGcm } from '#primitives';
import { DELIMITER, HEADER_LENGTH, KEY_LENGTH, RECORD_SIZE, recordKeys, SALT_LENGTH, TAG_LENGTH } from './records.ts';

export interface BlobKey {
  /** 16 random bytes, one blob only. */
  readonly key: Uint8Array;
  /** 16 random bytes. */
  readonly salt: Uint8Array;
}

const NO_DATA = new Uint8Array(0);

export function sealBlob(plaintext: Uint8Array, { key, salt }: BlobKey): Promise<Uint8Array> {
  if (key.length !== KEY_LENGTH || salt.length !== SALT_LENGTH) throw new TypeError('key and salt have 16 bytes each');
  return sealRecords(plaintext, { key, salt, recordSize: RECORD_SIZE });
}

/** The general form, which RFC 8188's own examples need. */
export async function sealRecords(
  plaintext: Uint8Array,
  { key, salt, recordSize }: BlobKey & { readonly recordSize: number },
): Promise<Uint8Array> {
  const { contentKey, nonceOf } = recordKeys(key, salt);
  const room = recordSize - TAG_LENGTH - 1;
  const count = Math.max(1, Math.ceil(plaintext.length / room));
  const pieces = [header(salt, recordSize)];
  for (let sequence = 0; sequence < count; sequence++) {
    const data = plaintext.subarray(sequence * room, (sequence + 1) * room);
    const delimiter = sequence === count - 1 ? DELIMITER.last : DELIMITER.more;
    pieces.push(
      await sealAesGcm({
        key: contentKey,
        nonce: nonceOf(sequence),
        additionalData: NO_DATA,
        plaintext: concatBytes(data, Uint8Array.of(delimiter)),
      }),
    );
  }
  return concatBytes(...pieces);
}

/** Salt, record size, and the length of a key id there is none of (section 2.1). */
export function header(salt: Uint8Array, recordSize: number): Uint8Array {
  const bytes = new Uint8Array(HEADER_LENGTH);
  bytes.set(salt);
  new DataView(bytes.buffer).setUint32(SALT_LENGTH, recordSize);
  return bytes;
}
