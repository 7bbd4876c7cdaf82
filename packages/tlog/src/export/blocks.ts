/**
 * Blocks of an export: each 256 consecutive entries, the last one perhaps fewer, aligned like C2SP level 0 tiles. A block's
 * root falls out of appending to the frontier, so naming the damaged block of a million entries costs no second hashing.
 */
import {
  appendLeaf,
  emptyFrontier,
  type Frontier,
  frontierRoot,
  frontierTail,
  type SubtreeObserver,
} from '../tree/frontier.ts';
import { portableSha256, type Sha256 } from '../tree/hashing.ts';
import { BLOCK_SIZE } from './line-schema.ts';

const BLOCK_LEVEL = Math.log2(BLOCK_SIZE);

export type Blocks = {
  readonly frontier: Frontier;
  /** Root of the block the last leaf made full. */
  readonly full?: Uint8Array | undefined;
};

export const noBlocks: Blocks = { frontier: emptyFrontier };

export function appendToBlocks(
  { frontier }: Blocks,
  leafHash: Uint8Array,
  sha256: Sha256 = portableSha256,
  onSubtree?: SubtreeObserver,
): Blocks {
  let full: Uint8Array | undefined;
  const grown = appendLeaf(frontier, leafHash, sha256, (level, index, hash) => {
    if (level === BLOCK_LEVEL) full = hash;
    onSubtree?.(level, index, hash);
  });
  return { frontier: grown, full };
}

/** Number and root of the block the last leaf belongs to, over its leaves so far. */
export function lastBlock(
  { frontier, full }: Blocks,
  sha256: Sha256 = portableSha256,
): { block: number; hash: Uint8Array } {
  const block = Math.floor((frontier.size - 1) / BLOCK_SIZE);
  return { block, hash: full ?? frontierRoot(frontierTail(frontier, BLOCK_SIZE), sha256) };
}

/** Whether a block line follows when `count` of `size` entries are there. */
export function isBlockEnd(count: number, size: number): boolean {
  return count > 0 && (count % BLOCK_SIZE === 0 || count === size);
}
