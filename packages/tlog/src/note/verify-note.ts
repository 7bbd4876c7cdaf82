/**
 * Which signatures of a note count: C2SP signed-note, "Signatures". Signatures of unknown keys are ignored, even when a
 * name or an id alone fits. A known key's signature that is wrong condemns the whole note; a note that no known key has
 * signed is refused.
 */
import { equalBytes, utf8 } from '../bytes.ts';
import { TlogError, type TlogErrorCode } from '../tlog-errors.ts';
import { verifyCosignature } from './cosignature.ts';
import { type NoteSignature, parseNote } from './signed-note.ts';
import { SIGNATURE_LENGTH, type VerifierKey, verifyEd25519 } from './verifier-key.ts';

export type VerifiedSignature = {
  readonly key: VerifierKey;
  /** POSIX seconds; only on a cosignature. Whether it is recent enough is the caller's decision. */
  readonly time?: number;
};

export type NoteVerdict =
  | { readonly kind: 'verified'; readonly text: string; readonly by: readonly VerifiedSignature[] }
  | { readonly kind: 'rejected'; readonly code: TlogErrorCode; readonly reason: string };

/**
 * Checks a note against the keys the caller trusts. `by` lists each key that signed, once, in the order of `verifiers`.
 * Throws ERR_TLOG_ARGUMENT when two different keys share name and id, since then no signature could be attributed.
 */
export async function verifyNote(note: string, verifiers: readonly VerifierKey[]): Promise<NoteVerdict> {
  requireDistinct(verifiers);
  const parsed = parseNote(note);
  if (parsed.kind === 'malformed') return { kind: 'rejected', code: 'ERR_TLOG_NOTE', reason: parsed.reason };
  const by: VerifiedSignature[] = [];
  for (const key of verifiers) {
    const signatures = parsed.signatures.filter((signature) => isFrom(signature, key));
    const verdicts = await Promise.all(signatures.map(({ signature }) => verifyOne(parsed.text, signature, key)));
    if (verdicts.includes(undefined)) {
      return { kind: 'rejected', code: 'ERR_TLOG_SIGNATURE', reason: `the signature of ${key.name} is wrong` };
    }
    const [first] = verdicts;
    if (first !== undefined) by.push(first);
  }
  if (by.length === 0) return { kind: 'rejected', code: 'ERR_TLOG_SIGNATURE', reason: 'no known key signed' };
  return { kind: 'verified', text: parsed.text, by };
}

async function verifyOne(
  text: string,
  signature: Uint8Array,
  key: VerifierKey,
): Promise<VerifiedSignature | undefined> {
  if (key.algorithm === 'cosignature/v1') {
    const time = await verifyCosignature(text, signature, key.publicKey);
    return time === undefined ? undefined : { key, time };
  }
  if (signature.length !== SIGNATURE_LENGTH) return undefined;
  return (await verifyEd25519(key.publicKey, signature, utf8(text))) ? { key } : undefined;
}

function isFrom(signature: NoteSignature, key: VerifierKey): boolean {
  return signature.name === key.name && equalBytes(signature.keyId, key.keyId);
}

function requireDistinct(verifiers: readonly VerifierKey[]): void {
  const seen = new Set<string>();
  for (const { name, keyId } of verifiers) {
    const identity = `${name}+${keyId.join('.')}`;
    if (seen.has(identity)) throw new TlogError('ERR_TLOG_ARGUMENT', 'two verifiers with one name and id');
    seen.add(identity);
  }
}
