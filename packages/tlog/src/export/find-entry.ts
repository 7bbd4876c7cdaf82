/**
 * Finding an entry of an export together with its inclusion proof (RFC 9162 section 2.1.3), in the same single pass that
 * verifies the export. Of the tree only what that proof can need is kept: the peaks left of the entry, the sibling subtrees
 * completed right of it, and the final peaks; at most about 150 hashes whatever the size.
 */
import { equalBytes } from '../bytes.ts';
import { type Frontier, peakPlaces } from '../tree/frontier.ts';
import { readerFromSubtrees } from '../tree/hash-reader.ts';
import { inclusionProof, type Proof, verifyInclusion } from '../tree/inclusion.ts';
import { type ExportLines, type VerifiedExport, type VerifyExportOptions, walkExport } from './verify-export.ts';
import type { WalkedEntry, WalkFailure, WalkObserver } from './walk.ts';

export type FoundEntry = {
  readonly kind: 'found';
  readonly entry: WalkedEntry;
  /** Leads from `entry.leafHash` to `export.root`; it has been checked. */
  readonly proof: Proof;
  readonly export: VerifiedExport;
};

/** `absent`: the export is right and holds no such entry. `failed`: nothing may be concluded from this file. */
export type FindVerdict = FoundEntry | { readonly kind: 'absent'; readonly export: VerifiedExport } | WalkFailure;

/**
 * The first entry `matches` accepts, if the whole export verifies. Throws as `verifyExport` does; what `matches` throws
 * passes through. `matches` sees entries before the root is known: it must not act on them.
 */
export async function findEntry(
  lines: ExportLines,
  matches: (entry: WalkedEntry) => boolean,
  options: VerifyExportOptions,
): Promise<FindVerdict> {
  const collector = collectFor(matches);
  const { verdict, frontier } = await walkExport(lines, options, collector.observer);
  if (verdict.kind === 'failed') return verdict;
  const entry = collector.found();
  if (entry === undefined) return { kind: 'absent', export: verdict };
  const reader = readerFromSubtrees([...collector.subtrees, ...peaksOf(frontier)]);
  const proof = await inclusionProof(entry.position, verdict.size, reader, options.sha256);
  const { leafHash, position: index } = entry;
  if (!verifyInclusion({ leafHash, index, size: verdict.size, proof, root: verdict.root }, options.sha256)) {
    throw new Error('internal: the collected proof does not lead to the verified root');
  }
  return { kind: 'found', entry, proof, export: verdict };
}

/** Is the entry a receipt promised in the log? `leafHash` is the 32-byte leaf hash the receipt states. Else as `findEntry`. */
export async function verifyReceiptInclusion(
  lines: ExportLines,
  leafHash: Uint8Array,
  options: VerifyExportOptions,
): Promise<FindVerdict> {
  return await findEntry(lines, (entry) => equalBytes(entry.leafHash, leafHash), options);
}

type Subtree = { level: number; index: number; hash: Uint8Array };

function collectFor(matches: (entry: WalkedEntry) => boolean) {
  const subtrees: Subtree[] = [];
  let found: WalkedEntry | undefined;
  const observer: WalkObserver = {
    entry(entry, before) {
      if (found !== undefined || !matches(entry)) return;
      found = entry;
      subtrees.push(...peaksOf(before));
    },
    subtree(level, index, hash) {
      if (found === undefined) return;
      const ancestor = Math.floor(found.position / 2 ** level);
      if (ancestor % 2 === 0 && index === ancestor + 1) subtrees.push({ level, index, hash });
    },
  };
  return { observer, subtrees, found: () => found };
}

function peaksOf({ size, peaks }: Frontier): Subtree[] {
  return peakPlaces(size).flatMap((place, i) => {
    const hash = peaks[i];
    return hash === undefined ? [] : [{ ...place, hash }];
  });
}
