/**
 * One entry of a timeline, proved in this browser: what is shown is what the record says, and the log's evidence for the
 * record holds under keys of the trust file. Nothing here asks a server.
 */
import { sha256 } from '@sealpost/crypto/verify';
import { canonicalJson, type Evidence, eventOfRecord, type LogEvent } from '@sealpost/protocol';
import { type EvidenceVerdict, type VerifierKey, verifyEvidence } from '@sealpost/tlog';

export interface ProofKeys {
  readonly logKey: VerifierKey;
  readonly witnessKey: VerifierKey;
}

/** What the timeline shows of an entry. */
export interface ShownEntry {
  readonly event: LogEvent;
  readonly position: number;
}

export type EntryVerdict = EvidenceVerdict | { readonly kind: 'refused'; readonly reason: 'record' | 'shown' };

export async function verifyEntry(
  shown: ShownEntry,
  evidence: Evidence,
  { logKey, witnessKey }: ProofKeys,
): Promise<EntryVerdict> {
  const event = eventOfRecord(evidence.record);
  if (event === undefined) return { kind: 'refused', reason: 'record' };
  const verdict = await verifyEvidence(evidence, event, { logKey, witnessKeys: [witnessKey] }, sha256);
  if (verdict.kind === 'refused') return verdict;
  const same = evidence.position === shown.position && canonicalJson(event) === canonicalJson(shown.event);
  return same ? verdict : { kind: 'refused', reason: 'shown' };
}

/** The verdict in words. */
export function proofWords(verdict: EntryVerdict, { logKey, witnessKey }: ProofKeys): string {
  if (verdict.kind === 'refused') return REFUSALS[verdict.reason];
  const { position, checkpoint, cosignedBy } = verdict;
  const witness = cosignedBy.length > 0 ? `cosigned by ${witnessKey.name}` : 'which the witness has not cosigned yet';
  return `Proved: entry ${position} of the ${checkpoint.size} in the log signed by ${logKey.name}, ${witness}.`;
}

const REFUSALS: Readonly<Record<Extract<EntryVerdict, { kind: 'refused' }>['reason'], string>> = {
  record: 'Not proved: the record is no event of this log.',
  shown: 'Not proved: the log holds something else than is shown here.',
  leaf: 'Not proved: the record does not match its leaf in the log.',
  inclusion: 'Not proved: the path does not lead from this leaf to the signed root.',
  checkpoint: 'Not proved: the head of the log is not signed by the keys of the trust file.',
};

export interface Alteration {
  readonly evidence: Evidence;
  /** Text around the changed byte, as it stands in the log and as it was changed. */
  readonly before: string;
  readonly after: string;
}

/** The same evidence with the lowest bit of one byte of the record flipped: the last digit of the event's time. */
export function changeOneByte(evidence: Evidence): Alteration {
  const found = /"at":\d+/.exec(evidence.record);
  const at = found === null ? 0 : found.index + found[0].length - 1;
  const letter = String.fromCharCode(evidence.record.charCodeAt(at) ^ 1);
  const record = `${evidence.record.slice(0, at)}${letter}${evidence.record.slice(at + 1)}`;
  const around = (text: string) => text.slice(found?.index ?? 0, at + 1);
  return { evidence: { ...evidence, record }, before: around(evidence.record), after: around(record) };
}
