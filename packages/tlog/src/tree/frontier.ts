/**
 * The append state of a log: the roots of the complete subtrees that make up the tree, largest first (the "compact
 * range" from leaf 0; the tree is that of RFC 9162 section 2.1.1). It is all a sequencer needs to append and to sign:
 * at most 53 hashes whatever the size. A frontier is a value; appending gives a new one and leaves the old untouched.
 *
 * Cost: one node hash per append on average, and a copy of the short list.
 */
import { concatBytes } from '../bytes.ts';
import { requireLength, TlogError } from '../tlog-errors.ts';
import { emptyRoot, HASH_LENGTH, nodeHash, portableSha256, type Sha256 } from './hashing.ts';

export type Frontier = {
  /** Number of leaves. */
  readonly size: number;
  /** One hash for each 1 in the binary form of `size`, most significant first. */
  readonly peaks: readonly Uint8Array[];
};

/** Told of every complete subtree in the moment its last leaf is appended, leaves (level 0) included. */
export type SubtreeObserver = (level: number, index: number, hash: Uint8Array) => void;

export const emptyFrontier: Frontier = { size: 0, peaks: [] };

/** The frontier with one more leaf. Throws ERR_TLOG_ARGUMENT when the hash does not have 32 bytes. */
export function appendLeaf(
  frontier: Frontier,
  leafHash: Uint8Array,
  sha256: Sha256 = portableSha256,
  onSubtree?: SubtreeObserver,
): Frontier {
  requireLength(leafHash, HASH_LENGTH, 'leaf hash');
  const peaks = frontier.peaks.slice();
  let node = leafHash;
  let index = frontier.size;
  let level = 0;
  onSubtree?.(level, index, node);
  while (index % 2 === 1) {
    const left = peaks.pop();
    if (left === undefined) throw new TlogError('ERR_TLOG_FRONTIER', 'appending a leaf');
    node = nodeHash(left, node, sha256);
    index = (index - 1) / 2;
    level += 1;
    onSubtree?.(level, index, node);
  }
  peaks.push(node);
  return { size: frontier.size + 1, peaks };
}

/** The root of the whole tree; the empty root for an empty frontier. */
export function frontierRoot(frontier: Frontier, sha256: Sha256 = portableSha256): Uint8Array {
  let root: Uint8Array | undefined;
  for (const peak of frontier.peaks.toReversed()) root = root === undefined ? peak : nodeHash(peak, root, sha256);
  return root ?? emptyRoot();
}

/**
 * The part of a frontier right of its last complete subtree of `width` leaves (a power of two): what a partly filled
 * block or tile holds. Empty when `width` divides the size.
 */
export function frontierTail(frontier: Frontier, width: number): Frontier {
  const size = frontier.size % width;
  const count = onesIn(size);
  return { size, peaks: count === 0 ? [] : frontier.peaks.slice(-count) };
}

/** Level and index of every peak, in the order of `peaks`. */
export function peakPlaces(size: number): { level: number; index: number }[] {
  const places: { level: number; index: number }[] = [];
  for (let level = 0, rest = size; rest > 0; level++, rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) places.push({ level, index: rest - 1 });
  }
  return places.reverse();
}

/** Bytes to store: size as u64 big-endian, then the peaks of 32 bytes each. */
export function encodeFrontier(frontier: Frontier): Uint8Array<ArrayBuffer> {
  const size = new Uint8Array(8);
  new DataView(size.buffer).setBigUint64(0, BigInt(frontier.size));
  return concatBytes(size, ...frontier.peaks);
}

/** Reads `encodeFrontier` back. Throws ERR_TLOG_FRONTIER when length and size do not fit: stored state is damaged. */
export function decodeFrontier(bytes: Uint8Array): Frontier {
  if (bytes.length < 8) throw new TlogError('ERR_TLOG_FRONTIER', 'reading its size');
  const size = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0));
  const count = Number.isSafeInteger(size) ? onesIn(size) : -1;
  if (bytes.length !== 8 + count * HASH_LENGTH) throw new TlogError('ERR_TLOG_FRONTIER', 'reading its hashes');
  const peaks = Array.from({ length: count }, (_, i) => bytes.slice(8 + i * HASH_LENGTH, 8 + (i + 1) * HASH_LENGTH));
  return { size, peaks };
}

function onesIn(size: number): number {
  let count = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) count += rest % 2;
  return count;
}
