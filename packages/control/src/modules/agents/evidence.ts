/**
 * Whether the log proves a directory entry (DESIGN section 8): the record says exactly this entry, and the log's evidence
 * for that record holds. Pure but for signatures; how old the checkpoint may be is `heads.ts`.
 */
import { entryHash, sha256 } from '@sealpost/crypto/verify';
import { type DirectoryEntry, type Evidence, eventOfRecord } from '@sealpost/protocol';
import { type EvidenceVerdict, type VerifierKey, verifyEvidence } from '@sealpost/tlog';

export type EntryVerdict = EvidenceVerdict | { readonly kind: 'refused'; readonly reason: 'record' };

export async function verifyEntryEvidence(
  jws: string,
  entry: DirectoryEntry,
  evidence: Evidence,
  logKey: VerifierKey,
): Promise<EntryVerdict> {
  const event = eventOfRecord(evidence.record);
  if (event?.kind !== 'directory.changed') return { kind: 'refused', reason: 'record' };
  const { member, device, change } = event;
  const same = member === entry.member && device === entry.device && change === entry.change;
  if (!same || event.entry !== entryHash(jws)) return { kind: 'refused', reason: 'record' };
  return verifyEvidence(evidence, event, { logKey }, sha256);
}
