/** HKDF with SHA-256 (RFC 5869), composed from the platform's HMAC. */
import { concatBytes } from '@sealpost/protocol';

type Hmac = (key: Uint8Array, bytes: Uint8Array) => Uint8Array;

const HASH_LENGTH = 32;

/** RFC 5869 section 2.2; an empty salt is a string of zeros. */
export function hkdfExtract(hmac: Hmac, salt: Uint8Array, secret: Uint8Array): Uint8Array {
  return hmac(salt.length === 0 ? new Uint8Array(HASH_LENGTH) : salt, secret);
}

/** RFC 5869 section 2.3. */
export function hkdfExpand(hmac: Hmac, key: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  if (length > 255 * HASH_LENGTH) throw new RangeError('HKDF gives at most 255 blocks');
  const output = new Uint8Array(length);
  let block: Uint8Array = new Uint8Array(0);
  for (let at = 0, counter = 1; at < length; at += HASH_LENGTH, counter++) {
    block = hmac(key, concatBytes(block, info, Uint8Array.of(counter)));
    output.set(block.subarray(0, length - at), at);
  }
  return output;
}
