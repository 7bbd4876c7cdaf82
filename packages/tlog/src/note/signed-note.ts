/**
 * Signed notes: C2SP signed-note. A text, an empty line, then one line per signature:
 * `— <key name> base64(key id || signature)`. This file reads and writes the form and makes plain Ed25519 signatures;
 * verify-note.ts decides which signatures count.
 */
import { concatBytes, fromBase64, toBase64, utf8 } from '../bytes.ts';
import { requireLength, TlogError } from '../tlog-errors.ts';
import { hasControl, isKeyName, KEY_ID_LENGTH, SIGNATURE_LENGTH, verifierKey } from './verifier-key.ts';

/** Port: someone who can sign under a name. `sign` gives 64 bytes of Ed25519, or rejects when the key is out of reach. */
export interface NoteSigner {
  readonly name: string;
  /** Raw Ed25519 public key, 32 bytes. */
  readonly publicKey: Uint8Array;
  sign(bytes: Uint8Array): Promise<Uint8Array>;
}

export type NoteSignature = {
  readonly name: string;
  /** 4 bytes. */
  readonly keyId: Uint8Array;
  /** What follows the key id; its shape depends on the key's algorithm. */
  readonly signature: Uint8Array;
};

export type ParsedNote =
  | { readonly kind: 'parsed'; readonly text: string; readonly signatures: readonly NoteSignature[] }
  | { readonly kind: 'malformed'; readonly reason: string };

const MAX_NOTE_LENGTH = 1_000_000;
const MAX_SIGNATURES = 100;
const SIGNATURE_MARK = '\u2014 ';

/** Signs a text that ends in a newline; the signed note comes back. Throws ERR_TLOG_ARGUMENT on any other text. */
export async function signNote(text: string, signer: NoteSigner): Promise<string> {
  if (!isNoteText(text)) throw new TlogError('ERR_TLOG_ARGUMENT', 'text of a note');
  const { keyId } = verifierKey(signer.name, signer.publicKey, 'ed25519');
  const signature = await signer.sign(utf8(text));
  requireLength(signature, SIGNATURE_LENGTH, 'Ed25519 signature');
  return `${text}\n${signatureLine({ name: signer.name, keyId, signature })}`;
}

/** One signature line with its newline. */
export function signatureLine(signature: NoteSignature): string {
  return `${SIGNATURE_MARK}${signature.name} ${toBase64(concatBytes(signature.keyId, signature.signature))}\n`;
}

/** The note with one more signature line. Throws ERR_TLOG_ARGUMENT when the result is not a signed note. */
export function appendSignature(note: string, line: string): string {
  const longer = `${note}${line}`;
  const [before, after] = [parseNote(note), parseNote(longer)];
  const grew = before.kind === 'parsed' && after.kind === 'parsed' && before.text === after.text;
  if (!grew || after.signatures.length !== before.signatures.length + 1) {
    throw new TlogError('ERR_TLOG_ARGUMENT', 'appending a signature to a note');
  }
  return longer;
}

/** Splits a note into text and signatures and checks the form only: nothing in it is trusted yet. */
export function parseNote(note: string): ParsedNote {
  if (note.length > MAX_NOTE_LENGTH) return { kind: 'malformed', reason: 'too long' };
  const split = note.lastIndexOf('\n\n');
  if (split < 0) return { kind: 'malformed', reason: 'no empty line before the signatures' };
  const text = note.slice(0, split + 1);
  const lines = note.slice(split + 2).split('\n');
  if (!isNoteText(text)) return { kind: 'malformed', reason: 'text' };
  if (lines.pop() !== '' || lines.length === 0) return { kind: 'malformed', reason: 'no signature line' };
  if (lines.length > MAX_SIGNATURES) return { kind: 'malformed', reason: 'too many signatures' };
  const signatures: NoteSignature[] = [];
  for (const line of lines) {
    const signature = parseSignatureLine(line);
    if (signature === undefined) return { kind: 'malformed', reason: `signature line ${signatures.length + 1}` };
    signatures.push(signature);
  }
  return { kind: 'parsed', text, signatures };
}

/** Text of a note: well-formed, ends in a newline, no other control character. */
function isNoteText(text: string): boolean {
  return text.endsWith('\n') && text.isWellFormed() && !hasControl(text.replaceAll('\n', ''));
}

function parseSignatureLine(line: string): NoteSignature | undefined {
  if (!line.startsWith(SIGNATURE_MARK)) return undefined;
  const [name, base64, ...more] = line.slice(SIGNATURE_MARK.length).split(' ');
  if (name === undefined || base64 === undefined || more.length > 0 || !isKeyName(name)) return undefined;
  const bytes = fromBase64(base64);
  if (bytes === undefined || bytes.length <= KEY_ID_LENGTH) return undefined;
  return { name, keyId: bytes.slice(0, KEY_ID_LENGTH), signature: bytes.slice(KEY_ID_LENGTH) };
}
