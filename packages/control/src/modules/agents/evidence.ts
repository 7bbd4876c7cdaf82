/**
 * Whether the log proves a directory entry (DESIGN section 8): the record says exactly this entry, the leaf commits to the
 * record, the path leads from the leaf to a root, and the log's key signed a checkpoint with that root. Pure but for
 * signatures; how old the checkpoint may be is `heads.ts`.
 */
import { entryHash, sha256 } from '@sealpost/crypto/verify';
import {
  canonicalBytes,
  canonicalJson,
  type DirectoryEntry,
  type Evidence,
  equalBytes,
  eventSchema,
  fromBase64url,
} from '@sealpost/protocol';
import {
  type Checkpoint,
  commitRecord,
  leafData,
  leafHash,
  openCheckpoint,
  SALT_LENGTH,
  type VerifierKey,
  verifyInclusion,
} from '@sealpost/tlog';

export type EvidenceVerdict =
  | { readonly kind: 'proved'; readonly checkpoint: Checkpoint; readonly position: number }
  | { readonly kind: 'refused'; readonly reason: 'record' | 'leaf' | 'checkpoint' | 'inclusion' };

const HASH_LENGTH = 32;

export async function verifyEvidence(
  jws: string,
  entry: DirectoryEntry,
  evidence: Evidence,
  logKey: VerifierKey,
): Promise<EvidenceVerdict> {
  const leaf = leafOf(jws, entry, evidence);
  if (leaf.kind === 'refused') return leaf;
  const opened = await openCheckpoint(evidence.checkpoint, { logKey });
  if (opened.kind === 'rejected' || opened.checkpoint.size !== evidence.size) return refused('checkpoint');
  const { checkpoint } = opened;
  const proof = evidence.path.map(fromBase64url).filter((hash) => hash !== undefined);
  const included =
    proof.length === evidence.path.length &&
    proof.every((hash) => hash.length === HASH_LENGTH) &&
    verifyInclusion(
      {
        leafHash: leafHash(leaf.bytes, sha256),
        index: evidence.position,
        size: checkpoint.size,
        proof,
        root: checkpoint.root,
      },
      sha256,
    );
  return included ? { kind: 'proved', checkpoint, position: evidence.position } : refused('inclusion');
}

type LeafVerdict =
  | { readonly kind: 'leaf'; readonly bytes: Uint8Array }
  | { readonly kind: 'refused'; readonly reason: 'record' | 'leaf' };

function leafOf(jws: string, entry: DirectoryEntry, { record, salt, leaf }: Evidence): LeafVerdict {
  const event = eventSchema.safeParse(jsonOf(record)).data;
  if (event?.kind !== 'directory.changed' || canonicalJson(event) !== record) return refused('record');
  const { member, device, change } = event;
  const same = member === entry.member && device === entry.device && change === entry.change;
  if (!same || event.entry !== entryHash(jws)) return refused('record');
  const [salted, claimed] = [fromBase64url(salt), fromBase64url(leaf)];
  if (salted?.length !== SALT_LENGTH || claimed === undefined) return refused('leaf');
  const bytes = leafData({
    kind: event.kind,
    time: event.at,
    commitment: commitRecord(salted, canonicalBytes(event), sha256),
  });
  return equalBytes(bytes, claimed) ? { kind: 'leaf', bytes } : refused('leaf');
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refused<Reason extends string>(reason: Reason) {
  return { kind: 'refused', reason } as const;
}
