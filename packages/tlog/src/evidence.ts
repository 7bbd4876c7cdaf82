/**
 * Evidence: what proves one entry to whoever has the log's key and nothing else of the log. The leaf commits to the record
 * under the salt and names its kind and time, the path leads from the leaf to a root (RFC 9162 section 2.1.3), and the
 * log's key signed a checkpoint with that root. How old the checkpoint may be, and whether a witness must have signed it,
 * is the caller's policy.
 */
import { equalBytes, fromBase64, utf8 } from './bytes.ts';
import { commitRecord, leafData, SALT_LENGTH } from './leaf.ts';
import { type Checkpoint, type CheckpointKeys, type Cosigned, openCheckpoint } from './note/checkpoint.ts';
import { HASH_LENGTH, leafHash, portableSha256, type Sha256 } from './tree/hashing.ts';
import { verifyInclusion } from './tree/inclusion.ts';

/** As a log's server hands it out; bytes in base64url. */
export type EntryEvidence = {
  /** Canonical JSON. */
  readonly record: string;
  readonly salt: string;
  readonly leaf: string;
  readonly position: number;
  readonly size: number;
  readonly path: readonly string[];
  /** Signed note. */
  readonly checkpoint: string;
};

/** What the record says of itself; the caller has read it from the record. */
export type RecordedEvent = { readonly kind: string; readonly at: number };

export type EvidenceVerdict =
  | {
      readonly kind: 'proved';
      readonly position: number;
      readonly checkpoint: Checkpoint;
      /** The witnesses, of those asked for, that signed the checkpoint. */
      readonly cosignedBy: readonly Cosigned[];
    }
  | { readonly kind: 'refused'; readonly reason: 'leaf' | 'checkpoint' | 'inclusion' };

/** Never throws on hostile evidence. */
export async function verifyEvidence(
  evidence: EntryEvidence,
  event: RecordedEvent,
  keys: CheckpointKeys,
  sha256: Sha256 = portableSha256,
): Promise<EvidenceVerdict> {
  const leaf = committedLeaf(evidence, event, sha256);
  if (leaf === undefined) return { kind: 'refused', reason: 'leaf' };
  const opened = await openCheckpoint(evidence.checkpoint, keys);
  if (opened.kind === 'rejected' || opened.checkpoint.size !== evidence.size)
    return { kind: 'refused', reason: 'checkpoint' };
  const { checkpoint, cosignedBy } = opened;
  const { position } = evidence;
  const claim = { leafHash: leafHash(leaf, sha256), index: position, size: checkpoint.size, root: checkpoint.root };
  const proof = evidence.path.map(hashOf);
  const included = proof.every((hash) => hash !== undefined) && verifyInclusion({ ...claim, proof }, sha256);
  return included ? { kind: 'proved', position, checkpoint, cosignedBy } : { kind: 'refused', reason: 'inclusion' };
}

/** The leaf's bytes when they are the commitment to exactly this record of this event. */
function committedLeaf(
  { record, salt, leaf }: EntryEvidence,
  { kind, at }: RecordedEvent,
  sha256: Sha256,
): Uint8Array | undefined {
  const [salted, claimed] = [fromBase64url(salt), fromBase64url(leaf)];
  if (salted?.length !== SALT_LENGTH || claimed === undefined) return undefined;
  const bytes = leafData({ kind, time: at, commitment: commitRecord(salted, utf8(record), sha256) });
  return equalBytes(bytes, claimed) ? bytes : undefined;
}

function hashOf(text: string): Uint8Array | undefined {
  const hash = fromBase64url(text);
  return hash?.length === HASH_LENGTH ? hash : undefined;
}

/** RFC 4648 section 5, canonical and without padding. */
function fromBase64url(text: string): Uint8Array | undefined {
  if (/[+/=]/.test(text)) return undefined;
  const padded = text.padEnd(Math.ceil(text.length / 4) * 4, '=');
  return fromBase64(padded.replaceAll('-', '+').replaceAll('_', '/'));
}
