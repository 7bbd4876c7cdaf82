/**
 * Witness cosignatures: C2SP tlog-cosignature, `cosignature/v1` (signature type 0x04). A witness states that at this time
 * this checkpoint is the largest consistent one it has seen of the log. It signs a header line, a time line and the whole
 * note text; the signature is the time as u64 big-endian and 64 bytes of Ed25519. Times are POSIX seconds and always given
 * by the caller. A witness must check consistency with the checkpoint it last signed before it calls this.
 */
import { concatBytes, utf8 } from '../bytes.ts';
import { requireCount, requireLength, TlogError } from '../tlog-errors.ts';
import { type NoteSigner, parseNote, signatureLine } from './signed-note.ts';
import { SIGNATURE_LENGTH, verifierKey, verifyEd25519 } from './verifier-key.ts';

const TIME_LENGTH = 8;

/**
 * The signature line to append to a signed checkpoint (`appendSignature`). `time` in seconds. Throws ERR_TLOG_NOTE when
 * the note is malformed, ERR_TLOG_ARGUMENT on a time that is no safe integer of at least 0.
 */
export async function cosignatureLine(note: string, signer: NoteSigner, time: number): Promise<string> {
  requireCount(time, 0, 'time of a cosignature');
  const parsed = parseNote(note);
  if (parsed.kind === 'malformed') throw new TlogError('ERR_TLOG_NOTE', 'cosigning a checkpoint');
  const { name, keyId } = verifierKey(signer.name, signer.publicKey, 'cosignature/v1');
  const signature = await signer.sign(cosignedBytes(parsed.text, time));
  requireLength(signature, SIGNATURE_LENGTH, 'Ed25519 signature');
  return signatureLine({ name, keyId, signature: concatBytes(encodeTime(time), signature) });
}

/** The time a cosignature states, in seconds, or `undefined` when its form or its signature is wrong. */
export async function verifyCosignature(
  text: string,
  signature: Uint8Array,
  publicKey: Uint8Array,
): Promise<number | undefined> {
  if (signature.length !== TIME_LENGTH + SIGNATURE_LENGTH) return undefined;
  const time = Number(new DataView(signature.buffer, signature.byteOffset, TIME_LENGTH).getBigUint64(0));
  if (!Number.isSafeInteger(time)) return undefined;
  const signed = await verifyEd25519(publicKey, signature.slice(TIME_LENGTH), cosignedBytes(text, time));
  return signed ? time : undefined;
}

/** The message a witness signs over the text of a checkpoint note (tlog-cosignature, "Ed25519 signed message"). */
export function cosignedBytes(text: string, time: number): Uint8Array<ArrayBuffer> {
  return utf8(`cosignature/v1\ntime ${time}\n${text}`);
}

function encodeTime(time: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(TIME_LENGTH);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(time));
  return bytes;
}
