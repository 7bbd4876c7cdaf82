/**
 * Merkle tree hashing of RFC 9162 section 2.1.1 (the same tree as RFC 6962): a leaf is hashed behind a 0x00 byte, a node
 * behind 0x01, so that no leaf can be passed off as a node. All hashes are 32-byte SHA-256 values.
 *
 * Every function takes the hash function last. The default is the portable @noble/hashes one; a Node process that
 * verifies long exports passes that of `@sealpost/crypto/verify`, which is several times as fast. The two must agree; nothing here checks that again.
 */
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import { requireLength } from '../tlog-errors.ts';

export const HASH_LENGTH = 32;

/** SHA-256: any bytes in, 32 fresh bytes out. It must not keep its input. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array;

export const portableSha256: Sha256 = (bytes) => nobleSha256(bytes);

const LEAF_PREFIX = 0x00;
const NODE_PREFIX = 0x01;

/**
 * Inputs are laid out in one buffer that is used again: allocating it afresh took as long as hashing it. Each use
 * overwrites all that it hands on, and a `Sha256` returns before the next use, so nothing can be seen of it.
 */
const layout = new Uint8Array(1024);
const nodeInput = layout.subarray(0, 1 + 2 * HASH_LENGTH);

/** Hash of one leaf: SHA-256(0x00 || data). */
export function leafHash(data: Uint8Array, sha256: Sha256 = portableSha256): Uint8Array {
  const length = 1 + data.length;
  const input = length <= layout.length ? layout.subarray(0, length) : new Uint8Array(length);
  input[0] = LEAF_PREFIX;
  input.set(data, 1);
  return sha256(input);
}

/** Hash of one inner node: SHA-256(0x01 || left || right). Throws ERR_TLOG_ARGUMENT unless both sides have 32 bytes. */
export function nodeHash(left: Uint8Array, right: Uint8Array, sha256: Sha256 = portableSha256): Uint8Array {
  requireLength(left, HASH_LENGTH, 'left hash');
  requireLength(right, HASH_LENGTH, 'right hash');
  nodeInput[0] = NODE_PREFIX;
  nodeInput.set(left, 1);
  nodeInput.set(right, 1 + HASH_LENGTH);
  return sha256(nodeInput);
}

/** Root of the tree without leaves: SHA-256 of nothing. */
export function emptyRoot(): Uint8Array {
  return portableSha256(new Uint8Array(0));
}

/**
 * Root of the tree over these leaf hashes, straight from the recursive definition. It is the plain twin that
 * `Frontier` is tested against; use a frontier for anything long.
 */
export function rootOf(leafHashes: readonly Uint8Array[], sha256: Sha256 = portableSha256): Uint8Array {
  const [only] = leafHashes;
  if (only === undefined) return emptyRoot();
  if (leafHashes.length === 1) return only;
  const split = splitPoint(leafHashes.length);
  return nodeHash(rootOf(leafHashes.slice(0, split), sha256), rootOf(leafHashes.slice(split), sha256), sha256);
}

/** The largest power of two smaller than `size` (k in RFC 9162). `size` is at least 2. */
export function splitPoint(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}
