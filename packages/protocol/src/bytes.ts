/**
 * Bytes and the text forms they take on the wire. Base64url is RFC 4648 section 5 without padding, and only its
 * canonical form is accepted: two spellings of one value would give two ids for one thing.
 */
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });
const ascii = new TextDecoder('latin1');
const ALPHABET = encoder.encode('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_');
const NO_LETTER = 255;
/** Six-bit value by ASCII code. */
const VALUES = new Uint8Array(128).fill(NO_LETTER);
for (const [value, letter] of ALPHABET.entries()) VALUES[letter] = value;

export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

/** Throws TypeError on bytes that are not UTF-8. */
export function fromUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** Works on typed arrays throughout: ciphertexts of every message pass here (bench accept). */
export function toBase64url(bytes: Uint8Array): string {
  const letters = new Uint8Array(Math.ceil((bytes.length * 4) / 3));
  const letterOf = (value: number) => ALPHABET[value & 63] ?? 0;
  let at = 0;
  for (let i = 0; i < bytes.length; i += 3) {
    const group = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    letters[at++] = letterOf(group >> 18);
    letters[at++] = letterOf(group >> 12);
    // Writes past the end of a typed array are ignored: a short last group has fewer letters.
    letters[at++] = letterOf(group >> 6);
    letters[at++] = letterOf(group);
  }
  return ascii.decode(letters);
}

/** The bytes of a canonical base64url text, or `undefined` when it is not one (padding, spaces, stray bits, other letters). */
export function fromBase64url(text: string): Uint8Array<ArrayBuffer> | undefined {
  const rest = text.length % 4;
  if (rest === 1) return undefined;
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let [at, seen] = [0, 0];
  for (let i = 0; i < text.length; i += 4) {
    let group = 0;
    for (let k = 0; k < 4; k++) {
      const inside = i + k < text.length;
      const value = inside ? (VALUES[text.charCodeAt(i + k)] ?? NO_LETTER) : 0;
      seen |= value;
      group = (group << 6) | (value & 63);
    }
    bytes[at++] = group >> 16;
    bytes[at++] = group >> 8;
    bytes[at++] = group;
    if (i + 4 > text.length && (group & (rest === 2 ? 0xffff : 0xff)) !== 0) return undefined;
  }
  return seen <= 63 ? bytes : undefined;
}

export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Compares without an early exit; lengths are public. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}
