/**
 * Inclusion proofs: RFC 9162 section 2.1.3. A proof is the list of sibling hashes from the leaf up to the root; with it
 * anyone who holds a leaf and a signed root can tell that the leaf is in the tree, at that index and no other.
 */
import { equalBytes } from '../bytes.ts';
import { requireCount, TlogError } from '../tlog-errors.ts';
import { type HashReader, rangeHash } from './hash-reader.ts';
import { HASH_LENGTH, nodeHash, portableSha256, type Sha256, splitPoint } from './hashing.ts';

/** Sibling hashes of 32 bytes, leaf side first; at most 53. */
export type Proof = readonly Uint8Array[];

export type InclusionClaim = {
  /** Hash of the leaf (`leafHash(data)`), not its data. */
  readonly leafHash: Uint8Array;
  readonly index: number;
  readonly size: number;
  readonly proof: Proof;
  readonly root: Uint8Array;
};

/**
 * The proof that leaf `index` is in the tree of `size` leaves (RFC 9162 section 2.1.3.1).
 * Throws ERR_TLOG_ARGUMENT unless 0 <= index < size; what the reader throws passes through.
 */
export async function inclusionProof(
  index: number,
  size: number,
  reader: HashReader,
  sha256: Sha256 = portableSha256,
): Promise<Uint8Array[]> {
  requireCount(index, 0, 'index of an inclusion proof');
  requireCount(size, 1, 'size of an inclusion proof');
  if (index >= size) throw new TlogError('ERR_TLOG_ARGUMENT', 'index of an inclusion proof is outside the tree');
  return await path(index, 0, size, reader, sha256);
}

/**
 * Whether the claim holds (RFC 9162 section 2.1.3.2). A plain boolean, so that a forgotten comparison cannot pass.
 * Never throws on a hostile claim.
 */
export function verifyInclusion(claim: InclusionClaim, sha256: Sha256 = portableSha256): boolean {
  const { index, size, proof } = claim;
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return false;
  if (![claim.leafHash, claim.root, ...proof].every((hash) => hash.length === HASH_LENGTH)) return false;
  let node = claim.leafHash;
  let own = index;
  let last = size - 1;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (own % 2 === 1 || own === last) {
      node = nodeHash(sibling, node, sha256);
      while (own % 2 === 0 && own !== 0) [own, last] = [half(own), half(last)];
    } else {
      node = nodeHash(node, sibling, sha256);
    }
    [own, last] = [half(own), half(last)];
  }
  return last === 0 && equalBytes(node, claim.root);
}

async function path(
  index: number,
  start: number,
  end: number,
  reader: HashReader,
  sha256: Sha256,
): Promise<Uint8Array[]> {
  if (end - start === 1) return [];
  const middle = start + splitPoint(end - start);
  if (index < middle) {
    const below = await path(index, start, middle, reader, sha256);
    return [...below, await rangeHash(middle, end, reader, sha256)];
  }
  const below = await path(index, middle, end, reader, sha256);
  return [...below, await rangeHash(start, middle, reader, sha256)];
}

function half(value: number): number {
  return Math.floor(value / 2);
}
