/**
 * Checkpoints: C2SP tlog-checkpoint. The signed head of a log: origin line, size line, root line in base64, each ended by
 * a newline, then optional extension lines. `openCheckpoint` is the one way to go from a signed note to a size and root
 * that may be believed: the log's key must have signed, and its name must be the origin, so that one key never vouches
 * for two logs.
 */
import { fromBase64, toBase64 } from '../bytes.ts';
import { requireCount, requireLength, TlogError, type TlogErrorCode } from '../tlog-errors.ts';
import { HASH_LENGTH } from '../tree/hashing.ts';
import { hasControl, type VerifierKey } from './verifier-key.ts';
import { type VerifiedSignature, verifyNote } from './verify-note.ts';

export type Checkpoint = {
  /** Names the log: not empty, one line. By custom a URL without scheme; here also the name of the log's key. */
  readonly origin: string;
  /** Number of leaves. */
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
};

export type ParsedCheckpoint =
  | { readonly kind: 'parsed'; readonly checkpoint: Checkpoint; readonly extensions: readonly string[] }
  | { readonly kind: 'malformed'; readonly reason: string };

/** `cosignedBy`: the witnesses, of those asked for, that signed, each with its time in POSIX seconds. */
export type OpenedCheckpoint =
  | { readonly kind: 'verified'; readonly checkpoint: Checkpoint; readonly cosignedBy: readonly Cosigned[] }
  | { readonly kind: 'rejected'; readonly code: TlogErrorCode; readonly reason: string };

export type Cosigned = { readonly name: string; readonly time: number };

export type CheckpointKeys = { readonly logKey: VerifierKey; readonly witnessKeys?: readonly VerifierKey[] };

const SIZE = /^(?:0|[1-9][0-9]{0,15})$/;

/** The note text of a checkpoint, for `signNote`. Throws ERR_TLOG_ARGUMENT on a bad origin, size or root. */
export function encodeCheckpoint(checkpoint: Checkpoint): string {
  requireCount(checkpoint.size, 0, 'size of a checkpoint');
  requireLength(checkpoint.root, HASH_LENGTH, 'root of a checkpoint');
  if (!isOrigin(checkpoint.origin)) throw new TlogError('ERR_TLOG_ARGUMENT', 'origin of a checkpoint');
  return `${checkpoint.origin}\n${checkpoint.size}\n${toBase64(checkpoint.root)}\n`;
}

/** The checkpoint in a note text. Believe it only after its signatures: `openCheckpoint`. */
export function parseCheckpoint(text: string): ParsedCheckpoint {
  const lines = text.split('\n');
  if (lines.pop() !== '' || lines.includes('')) return { kind: 'malformed', reason: 'an empty or unended line' };
  const [origin = '', size = '', root = '', ...extensions] = lines;
  if (!isOrigin(origin)) return { kind: 'malformed', reason: 'origin' };
  if (!SIZE.test(size) || !Number.isSafeInteger(Number(size))) return { kind: 'malformed', reason: 'size' };
  const hash = fromBase64(root);
  if (hash?.length !== HASH_LENGTH) return { kind: 'malformed', reason: 'root' };
  return { kind: 'parsed', checkpoint: { origin, size: Number(size), root: hash }, extensions };
}

/**
 * Verifies a signed checkpoint: signed by the log, of that log's origin, and every known witness signature right. How many
 * witnesses are enough, and how old they may be, is the caller's policy.
 */
export async function openCheckpoint(note: string, keys: CheckpointKeys): Promise<OpenedCheckpoint> {
  const verdict = await verifyNote(note, [keys.logKey, ...(keys.witnessKeys ?? [])]);
  if (verdict.kind === 'rejected') return verdict;
  if (!verdict.by.some(({ key }) => key === keys.logKey)) {
    return { kind: 'rejected', code: 'ERR_TLOG_SIGNATURE', reason: 'the log did not sign' };
  }
  const parsed = parseCheckpoint(verdict.text);
  if (parsed.kind === 'malformed') return { kind: 'rejected', code: 'ERR_TLOG_CHECKPOINT', reason: parsed.reason };
  if (parsed.checkpoint.origin !== keys.logKey.name) {
    return { kind: 'rejected', code: 'ERR_TLOG_CHECKPOINT', reason: 'the origin is not the name of the key' };
  }
  return { kind: 'verified', checkpoint: parsed.checkpoint, cosignedBy: verdict.by.flatMap(cosigned) };
}

function cosigned({ key, time }: VerifiedSignature): Cosigned[] {
  return time === undefined ? [] : [{ name: key.name, time }];
}

function isOrigin(origin: string): boolean {
  return origin.length > 0 && origin.isWellFormed() && !hasControl(origin);
}
