/**
 * Consistency proofs: RFC 9162 section 2.1.4. They show that an older tree is a prefix of a newer one: the log has only
 * grown. Sizes 0 and equal sizes are outside the RFC; here the empty tree is a prefix of every tree and a tree is a
 * prefix of itself, both with an empty proof.
 */
import { equalBytes } from '../bytes.ts';
import { requireCount, TlogError } from '../tlog-errors.ts';
import { type HashReader, rangeHash } from './hash-reader.ts';
import { emptyRoot, HASH_LENGTH, nodeHash, portableSha256, type Sha256, splitPoint } from './hashing.ts';
import type { Proof } from './inclusion.ts';

export type ConsistencyClaim = {
  readonly first: number;
  readonly second: number;
  readonly firstRoot: Uint8Array;
  readonly secondRoot: Uint8Array;
  readonly proof: Proof;
};

/**
 * The proof that the tree of `first` leaves is a prefix of the tree of `second` leaves (RFC 9162 section 2.1.4.1).
 * Throws ERR_TLOG_ARGUMENT unless 0 <= first <= second; what the reader throws passes through.
 */
export async function consistencyProof(
  first: number,
  second: number,
  reader: HashReader,
  sha256: Sha256 = portableSha256,
): Promise<Uint8Array[]> {
  requireCount(first, 0, 'first size of a consistency proof');
  requireCount(second, 0, 'second size of a consistency proof');
  if (first > second) throw new TlogError('ERR_TLOG_ARGUMENT', 'sizes of a consistency proof are in the wrong order');
  if (first === 0 || first === second) return [];
  return await subproof(first, 0, second, true, reader, sha256);
}

/** Whether the claim holds (RFC 9162 section 2.1.4.2). Never throws on a hostile claim. */
export function verifyConsistency(claim: ConsistencyClaim, sha256: Sha256 = portableSha256): boolean {
  const { first, second, firstRoot, secondRoot, proof } = claim;
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(second) || first < 0 || first > second) return false;
  if (![firstRoot, secondRoot, ...proof].every((hash) => hash.length === HASH_LENGTH)) return false;
  if (first === second) return proof.length === 0 && equalBytes(firstRoot, secondRoot) && emptyIsEmpty(claim);
  if (first === 0) return proof.length === 0 && equalBytes(firstRoot, emptyRoot());

  let own = first - 1;
  let last = second - 1;
  while (own % 2 === 1) [own, last] = [half(own), half(last)];
  // A first size that is a power of two is itself a node of the second tree; the proof then leaves it out.
  const [start, ...rest] = own === 0 ? [firstRoot, ...proof] : proof;
  if (start === undefined) return false;
  let oldNode = start;
  let newNode = start;
  for (const hash of rest) {
    if (last === 0) return false;
    if (own % 2 === 1 || own === last) {
      oldNode = nodeHash(hash, oldNode, sha256);
      newNode = nodeHash(hash, newNode, sha256);
      while (own % 2 === 0 && own !== 0) [own, last] = [half(own), half(last)];
    } else {
      newNode = nodeHash(newNode, hash, sha256);
    }
    [own, last] = [half(own), half(last)];
  }
  return last === 0 && equalBytes(oldNode, firstRoot) && equalBytes(newNode, secondRoot);
}

function emptyIsEmpty(claim: ConsistencyClaim): boolean {
  return claim.first !== 0 || equalBytes(claim.firstRoot, emptyRoot());
}

/** SUBPROOF of the RFC over the leaves [start, end); `whole` is its b: the old tree's root is known to the verifier. */
async function subproof(
  first: number,
  start: number,
  end: number,
  whole: boolean,
  reader: HashReader,
  sha256: Sha256,
): Promise<Uint8Array[]> {
  if (first === end) return whole ? [] : [await rangeHash(start, end, reader, sha256)];
  const middle = start + splitPoint(end - start);
  if (first <= middle) {
    const below = await subproof(first, start, middle, whole, reader, sha256);
    return [...below, await rangeHash(middle, end, reader, sha256)];
  }
  const below = await subproof(first, middle, end, false, reader, sha256);
  return [...below, await rangeHash(start, middle, reader, sha256)];
}

function half(value: number): number {
  return Math.floor(value / 2);
}
