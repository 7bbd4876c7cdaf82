/**
 * Verifying a whole export against nothing but the log's public key: the lines agree with themselves, all leaves together
 * give one root (RFC 9162 section 2.1.1), and the log, with any witnesses, signed that root and size (C2SP
 * tlog-checkpoint). One pass, constant memory, no network, no clock: how old a checkpoint may be is the caller's question.
 *
 * One changed byte anywhere fails, and where it is inside an entry's line the failure names that entry. Against an exporter
 * who rewrites checksums too, every leaf, record, salt and their order are held by the signed root.
 */
import { equalBytes } from '../bytes.ts';
import { type CheckpointKeys, type Cosigned, openCheckpoint } from '../note/checkpoint.ts';
import { type NoteAlgorithm, parseVerifierKey, type VerifierKey } from '../note/verifier-key.ts';
import { TlogError } from '../tlog-errors.ts';
import { type Frontier, frontierRoot } from '../tree/frontier.ts';
import { portableSha256, type Sha256 } from '../tree/hashing.ts';
import { failEarlyEnd, failure, startWalk, stepWalk, type Walk, type WalkFailure, type WalkObserver } from './walk.ts';

/**
 * Lines without their newlines, one by one or by the page. For a file use `pagesOf`; other line readers let changed bytes
 * pass (see lines.ts).
 */
export type ExportLines = AsyncIterable<string | readonly string[]> | Iterable<string | readonly string[]>;

export type VerifyExportOptions = {
  /** Verifier key string (`name+hash+key`) of the log, from a source the reader trusts; never from the export. */
  readonly logKey: string;
  /** Verifier key strings of witnesses (signature type 0x04). Each that signed must have signed rightly. */
  readonly witnessKeys?: readonly string[];
  /** Faster hashing where there is some; must be SHA-256. In Node: that of `@sealpost/crypto/verify`. */
  readonly sha256?: Sha256;
};

export type VerifiedExport = {
  readonly kind: 'ok';
  readonly origin: string;
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
  /** The signed note, to be kept for a later consistency proof. */
  readonly checkpoint: string;
  /** Witnesses, of those asked for, that signed, with their times in POSIX seconds. How many suffice is policy. */
  readonly cosignedBy: readonly Cosigned[];
  /** Entries whose record was erased. The log does not prove that an erasure was allowed. */
  readonly erased: number;
};

export type ExportVerdict = VerifiedExport | WalkFailure;

/**
 * Verifies an export. Throws ERR_TLOG_VERIFIER_KEY when a given key string is not one; errors of `lines` pass through.
 * Everything wrong with the export itself is the tagged failure.
 */
export async function verifyExport(lines: ExportLines, options: VerifyExportOptions): Promise<ExportVerdict> {
  const outcome = await walkExport(lines, options);
  return outcome.verdict;
}

/** As `verifyExport`, with an observer, and with the frontier after the last entry. */
export async function walkExport(
  lines: ExportLines,
  options: VerifyExportOptions,
  observer?: WalkObserver,
): Promise<{ readonly verdict: ExportVerdict; readonly frontier: Frontier }> {
  const keys = readKeys(options);
  const sha256 = options.sha256 ?? portableSha256;
  const walk = startWalk();
  for await (const page of lines) {
    for (const line of typeof page === 'string' ? [page] : page) {
      const failed = stepWalk(walk, line, options.logKey, sha256, observer);
      if (failed !== undefined) return { verdict: failed, frontier: walk.blocks.frontier };
    }
  }
  return { verdict: await conclude(walk, keys, sha256), frontier: walk.blocks.frontier };
}

/** The walk has reached the end of the file: is what it saw what the log signed? */
async function conclude(walk: Walk, keys: CheckpointKeys, sha256: Sha256): Promise<ExportVerdict> {
  const { header, checkpoint, erased } = walk;
  if (header === undefined || checkpoint === undefined) return failEarlyEnd(walk);
  const opened = await openCheckpoint(checkpoint, keys);
  if (opened.kind === 'rejected') return failure(walk, opened.code, opened.reason);
  const { origin, size, root } = opened.checkpoint;
  if (origin !== header.origin) return failure(walk, 'ERR_TLOG_CHECKPOINT', 'the header names another origin');
  if (size !== header.size) return failure(walk, 'ERR_TLOG_CHECKPOINT', 'the checkpoint is of another size');
  if (!equalBytes(frontierRoot(walk.blocks.frontier, sha256), root)) {
    return failure(walk, 'ERR_TLOG_ROOT', 'the entries do not give the signed root');
  }
  return { kind: 'ok', origin, size, root, checkpoint, cosignedBy: opened.cosignedBy, erased };
}

function readKeys({ logKey, witnessKeys = [] }: VerifyExportOptions): CheckpointKeys {
  return {
    logKey: readKey(logKey, 'ed25519'),
    witnessKeys: witnessKeys.map((key) => readKey(key, 'cosignature/v1')),
  };
}

function readKey(text: string, algorithm: NoteAlgorithm): VerifierKey {
  const parsed = parseVerifierKey(text);
  if (parsed.kind === 'malformed') throw new TlogError('ERR_TLOG_VERIFIER_KEY', parsed.reason);
  if (parsed.key.algorithm !== algorithm) throw new TlogError('ERR_TLOG_VERIFIER_KEY', `not a key for ${algorithm}`);
  return parsed.key;
}
