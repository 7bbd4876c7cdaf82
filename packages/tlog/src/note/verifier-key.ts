/**
 * Verifier keys: C2SP signed-note, "Verifier keys" and "Signatures". A verifier key is written `name+hash+key`: the key's
 * name, its 32-bit id in hex, and base64 of one algorithm byte and the public key. The id binds name, algorithm and key,
 * but is short: it selects a key, it never stands for one.
 *
 * Two algorithms, both Ed25519 (RFC 8032) through WebCrypto: 0x01 signs the note text, 0x04 is a witness's timestamped
 * cosignature (C2SP tlog-cosignature).
 */
import { concatBytes, fromBase64, toBase64, toHex, utf8 } from '../bytes.ts';
import { requireLength, TlogError } from '../tlog-errors.ts';
import { portableSha256 } from '../tree/hashing.ts';

export const PUBLIC_KEY_LENGTH = 32;
export const SIGNATURE_LENGTH = 64;
export const KEY_ID_LENGTH = 4;

const ALGORITHM_BYTES = { ed25519: 0x01, 'cosignature/v1': 0x04 } as const;

export type NoteAlgorithm = keyof typeof ALGORITHM_BYTES;

export type VerifierKey = {
  /** Not empty; no spaces, no plus, no control characters. By custom a URL without scheme. */
  readonly name: string;
  readonly algorithm: NoteAlgorithm;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** 4 bytes, as they stand in front of a signature. */
  readonly keyId: Uint8Array;
};

export type ParsedVerifierKey =
  | { readonly kind: 'parsed'; readonly key: VerifierKey }
  | { readonly kind: 'malformed'; readonly reason: string };

/** The verifier key of a name and a raw public key. Throws ERR_TLOG_ARGUMENT on a bad name or key length. */
export function verifierKey(name: string, publicKey: Uint8Array, algorithm: NoteAlgorithm = 'ed25519'): VerifierKey {
  requireLength(publicKey, PUBLIC_KEY_LENGTH, 'public key');
  if (!isKeyName(name)) throw new TlogError('ERR_TLOG_ARGUMENT', 'name of a key');
  const input = concatBytes(utf8(`${name}\n`), Uint8Array.of(ALGORITHM_BYTES[algorithm]), publicKey);
  return { name, algorithm, publicKey, keyId: portableSha256(input).slice(0, KEY_ID_LENGTH) };
}

export function encodeVerifierKey(key: VerifierKey): string {
  const material = concatBytes(Uint8Array.of(ALGORITHM_BYTES[key.algorithm]), key.publicKey);
  return `${key.name}+${toHex(key.keyId)}+${toBase64(material)}`;
}

/** The key in a `name+hash+key` string; malformed when the hash is not that of the rest or the algorithm is unknown. */
export function parseVerifierKey(text: string): ParsedVerifierKey {
  const afterName = text.indexOf('+');
  const afterId = text.indexOf('+', afterName + 1);
  if (afterName < 0 || afterId < 0) return { kind: 'malformed', reason: 'not name+hash+key' };
  const name = text.slice(0, afterName);
  if (!isKeyName(name)) return { kind: 'malformed', reason: 'name' };
  const material = fromBase64(text.slice(afterId + 1));
  if (material?.length !== 1 + PUBLIC_KEY_LENGTH) return { kind: 'malformed', reason: 'length of the key' };
  const algorithm = algorithmOf(material[0]);
  if (algorithm === undefined) return { kind: 'malformed', reason: 'unknown algorithm' };
  const key = verifierKey(name, material.slice(1), algorithm);
  if (toHex(key.keyId) !== text.slice(afterName + 1, afterId)) return { kind: 'malformed', reason: 'hash' };
  return { kind: 'parsed', key };
}

/** Key names: C2SP signed-note forbids Unicode spaces and plus; control characters are forbidden in all of a note. */
export function isKeyName(name: string): boolean {
  return name.length > 0 && name.isWellFormed() && !/[\s\u0085+]/u.test(name) && !hasControl(name);
}

/** Whether the text has an ASCII control character, newline included. */
export function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) < 0x20) return true;
  return false;
}

/** Whether the Ed25519 signature is right. Rejects when WebCrypto refuses the public key itself: a configuration fault. */
export async function verifyEd25519(publicKey: Uint8Array, signature: Uint8Array, data: Uint8Array): Promise<boolean> {
  const key = await crypto.subtle.importKey('raw', new Uint8Array(publicKey), 'Ed25519', false, ['verify']);
  return await crypto.subtle.verify('Ed25519', key, new Uint8Array(signature), new Uint8Array(data));
}

function algorithmOf(byte: number | undefined): NoteAlgorithm | undefined {
  if (byte === ALGORITHM_BYTES.ed25519) return 'ed25519';
  if (byte === ALGORITHM_BYTES['cosignature/v1']) return 'cosignature/v1';
  return undefined;
}
