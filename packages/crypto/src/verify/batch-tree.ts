/**
 * The Merkle tree of a batch: the shape and the path algorithm of RFC 9162 section 2.1, with domain-separated leaves and
 * nodes so that neither is ever the other, nor an entry of the log. Both sides compute the signed bytes here.
 */

import { type BatchStatement, canonicalBytes, concatBytes, utf8 } from '@sealpost/protocol';
import { sha256 } from '#primitives';

const LEAF = utf8('sealpost/batch/leaf/v1\n');
const NODE = utf8('sealpost/batch/node/v1\n');
const STATEMENT = utf8('sealpost/batch/v1\n');

export interface BatchTree {
  readonly root: Uint8Array;
  /** One path a leaf, bottom first. */
  readonly paths: readonly (readonly Uint8Array[])[];
}

export function batchStatementBytes(statement: BatchStatement): Uint8Array {
  return concatBytes(STATEMENT, canonicalBytes(statement));
}

export function leafHash(digest: Uint8Array): Uint8Array {
  return sha256(concatBytes(LEAF, digest));
}

function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(concatBytes(NODE, left, right));
}

/**
 * All paths in one pass. Level by level with an odd last node carried up gives the same tree as RFC 9162's recursive
 * split at the largest power of two.
 */
export function batchTree(leaves: readonly Uint8Array[]): BatchTree {
  const paths: Uint8Array[][] = leaves.map(() => []);
  let level = leaves;
  for (let height = 0; level.length > 1; height++) {
    for (const [index, path] of paths.entries()) {
      const sibling = level[(index >> height) ^ 1];
      if (sibling !== undefined) path.push(sibling);
    }
    const above: Uint8Array[] = [];
    for (let i = 0; i < level.length; i += 2) {
      const [left, right] = [level[i], level[i + 1]];
      if (left !== undefined) above.push(right === undefined ? left : nodeHash(left, right));
    }
    level = above;
  }
  const root = level[0];
  if (root === undefined) throw new TypeError('a batch has at least one envelope');
  return { root, paths };
}

/** RFC 9162 section 2.1.3.2: the root a path leads to, or `undefined` when it has the wrong length for its place. */
export function rootOfPath(
  leaf: Uint8Array,
  index: number,
  size: number,
  path: readonly Uint8Array[],
): Uint8Array | undefined {
  if (index >= size) return undefined;
  let [position, last, hash] = [index, size - 1, leaf];
  for (const sibling of path) {
    if (last === 0) return undefined;
    if ((position & 1) === 1 || position === last) {
      hash = nodeHash(sibling, hash);
      while (position !== 0 && (position & 1) === 0) {
        position >>= 1;
        last >>= 1;
      }
    } else {
      hash = nodeHash(hash, sibling);
    }
    position >>= 1;
    last >>= 1;
  }
  return last === 0 ? hash : undefined;
}
