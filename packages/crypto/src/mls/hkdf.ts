/**
 * HKDF-SHA256 (RFC 5869) over a platform's HMAC. MLS asks almost always for one block, so the first block is the path
 * that matters.
 */
import { concatBytes } from '@sealpost/protocol';
import type { SuitePrimitives } from './suite.ts';

export const HASH_LENGTH = 32;

/** RFC 5869 section 2.2; an absent salt is a block of zeros. */
export function extract(
  primitives: Pick<SuitePrimitives, 'hmac'>,
  salt: Uint8Array,
  ikm: Uint8Array,
): Promise<Uint8Array> {
  return primitives.hmac(salt.length === 0 ? new Uint8Array(HASH_LENGTH) : salt, ikm);
}

/** RFC 5869 section 2.3. */
export async function expand(
  primitives: Pick<SuitePrimitives, 'hmac'>,
  prk: Uint8Array,
  info: Uint8Array,
  length: number,
): Promise<Uint8Array> {
  if (length > 255 * HASH_LENGTH) throw new RangeError('HKDF-Expand: at most 255 blocks (RFC 5869 section 2.3)');
  const first = new Uint8Array(info.length + 1);
  first.set(info);
  first[info.length] = 1;
  let block = await primitives.hmac(prk, first);
  if (length <= HASH_LENGTH) return length === HASH_LENGTH ? block : block.slice(0, length);
  const blocks = [block];
  for (let counter = 2; blocks.length * HASH_LENGTH < length; counter++) {
    block = await primitives.hmac(prk, concatBytes(block, info, Uint8Array.of(counter)));
    blocks.push(block);
  }
  return concatBytes(...blocks).slice(0, length);
}
