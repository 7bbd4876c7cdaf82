/**
 * Where proofs get their hashes from. A reader knows only complete subtrees: `hash(level, index)` is the root of the
 * leaves [index * 2^level, (index + 1) * 2^level). Everything ragged at the right edge is computed here from those
 * (RFC 9162 section 2.1.1), so a reader over tiles, a table or an array all give the same proofs.
 */
import { TlogError } from '../tlog-errors.ts';
import { nodeHash, portableSha256, type Sha256, splitPoint } from './hashing.ts';

/** Port. Rejects or throws when a hash cannot be read; never answers with a wrong length. */
export interface HashReader {
  hash(level: number, index: number): Uint8Array | Promise<Uint8Array>;
}

/** A reader over all leaf hashes in memory. Levels are computed when first asked for and kept. */
export function readerFromLeaves(leafHashes: readonly Uint8Array[], sha256: Sha256 = portableSha256): HashReader {
  const levels: (readonly Uint8Array[])[] = [leafHashes];
  function levelAt(level: number): readonly Uint8Array[] {
    const known = levels[level];
    if (known !== undefined) return known;
    const below = levelAt(level - 1);
    const hashes: Uint8Array[] = [];
    for (let i = 0; i + 1 < below.length; i += 2) hashes.push(nodeHash(at(below, i), at(below, i + 1), sha256));
    levels[level] = hashes;
    return hashes;
  }
  return { hash: (level, index) => at(levelAt(level), index) };
}

/** A reader over hand-picked subtrees, for one proof. */
export function readerFromSubtrees(subtrees: Iterable<{ level: number; index: number; hash: Uint8Array }>): HashReader {
  const hashes = new Map<string, Uint8Array>();
  for (const { level, index, hash } of subtrees) hashes.set(`${level}/${index}`, hash);
  return {
    hash(level, index) {
      const hash = hashes.get(`${level}/${index}`);
      if (hash === undefined) throw new TlogError('ERR_TLOG_HASH_MISSING', `subtree ${level}/${index}`);
      return hash;
    },
  };
}

/**
 * Root of the leaves [start, end). `start` is a multiple of the smallest power of two that is at least `end - start`,
 * as it is for every range a proof names.
 */
export async function rangeHash(
  start: number,
  end: number,
  reader: HashReader,
  sha256: Sha256 = portableSha256,
): Promise<Uint8Array> {
  const size = end - start;
  const level = Math.log2(size);
  if (Number.isInteger(level)) return await reader.hash(level, start / size);
  const middle = start + splitPoint(size);
  const left = await rangeHash(start, middle, reader, sha256);
  return nodeHash(left, await rangeHash(middle, end, reader, sha256), sha256);
}

function at(hashes: readonly Uint8Array[], index: number): Uint8Array {
  const hash = hashes[index];
  if (hash === undefined) throw new TlogError('ERR_TLOG_HASH_MISSING', `hash ${index}`);
  return hash;
}
