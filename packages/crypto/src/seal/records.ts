/**
 * The key schedule and framing of Encrypted Content-Encoding `aes128gcm` (RFC 8188 section 2), shared by sealing and
 * opening.
 */

import { utf8 } from '@sealpost/protocol';
import { hmacSha256 } from '#primitives';
import { hkdfExpand, hkdfExtract } from '../primitives/hkdf.ts';

/** Sealpost writes and reads one record size; the header is not authenticated, so nothing else may be chosen by it. */
export const RECORD_SIZE = 65_536;
export const SALT_LENGTH = 16;
export const KEY_LENGTH = 16;
export const TAG_LENGTH = 16;
/** Salt, record size, length of the key id (section 2.1). */
export const HEADER_LENGTH = 21;
/** Section 2: the octet after a record's data. */
export const DELIMITER = { more: 1, last: 2 } as const;

const KEY_INFO = utf8('Content-Encoding: aes128gcm\0');
const NONCE_INFO = utf8('Content-Encoding: nonce\0');
const NONCE_LENGTH = 12;

/** Sections 2.2 and 2.3; the nonce of record `sequence` is the base nonce XOR its 96-bit big-endian number. */
export function recordKeys(
  key: Uint8Array,
  salt: Uint8Array,
): { readonly contentKey: Uint8Array; nonceOf(sequence: number): Uint8Array } {
  const extracted = hkdfExtract(hmacSha256, salt, key);
  const base = hkdfExpand(hmacSha256, extracted, NONCE_INFO, NONCE_LENGTH);
  return {
    contentKey: hkdfExpand(hmacSha256, extracted, KEY_INFO, KEY_LENGTH),
    nonceOf(sequence) {
      const nonce = new Uint8Array(base);
      const view = new DataView(nonce.buffer);
      view.setUint32(8, view.getUint32(8) ^ sequence);
      return nonce;
    },
  };
}
