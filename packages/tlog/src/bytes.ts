/**
 * Bytes and their text forms as C2SP documents use them: standard base64 with padding (RFC 4648 section 4) and lower
 * case hex (section 8). Decoders accept only the canonical spelling, because a second spelling of the same bytes would
 * be a change to an export that nothing notices.
 */
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const NOT_A_DIGIT = 255;
const DIGITS = new Uint8Array(128).fill(NOT_A_DIGIT);
for (let value = 0; value < 64; value++) DIGITS[ALPHABET.charCodeAt(value)] = value;
const HEX_DIGITS = new Uint8Array(128).fill(NOT_A_DIGIT);
for (let value = 0; value < 16; value++) HEX_DIGITS[value.toString(16).charCodeAt(0)] = value;

export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

/** The text of UTF-8 bytes, a byte order mark kept; `undefined` when they are not UTF-8. */
export function fromUtf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i++) text += HEX[bytes[i] ?? 0];
  return text;
}

/** The bytes of lower case hex; `undefined` for anything else. */
export function fromHex(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (text.length % 2 !== 0) return undefined;
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    const high = HEX_DIGITS[text.charCodeAt(2 * i)] ?? NOT_A_DIGIT;
    const low = HEX_DIGITS[text.charCodeAt(2 * i + 1)] ?? NOT_A_DIGIT;
    if ((high | low) === NOT_A_DIGIT) return undefined;
    bytes[i] = (high << 4) | low;
  }
  return bytes;
}

export function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const group = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text += ALPHABET.charAt(group >> 18) + ALPHABET.charAt((group >> 12) & 63);
    text += i + 1 < bytes.length ? ALPHABET.charAt((group >> 6) & 63) : '=';
    text += i + 2 < bytes.length ? ALPHABET.charAt(group & 63) : '=';
  }
  return text;
}

/** The bytes of canonical, padded base64; `undefined` for other letters, missing padding or stray low bits. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (text.length % 4 !== 0) return undefined;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  const digits = text.length - padding;
  let bad = 0;
  let group = 0;
  for (let i = 0, at = 0; i < text.length; i += 4, at += 3) {
    const a = DIGITS[text.charCodeAt(i)] ?? NOT_A_DIGIT;
    const b = DIGITS[text.charCodeAt(i + 1)] ?? NOT_A_DIGIT;
    const c = i + 2 < digits ? (DIGITS[text.charCodeAt(i + 2)] ?? NOT_A_DIGIT) : 0;
    const d = i + 3 < digits ? (DIGITS[text.charCodeAt(i + 3)] ?? NOT_A_DIGIT) : 0;
    bad |= a | b | c | d;
    group = (a << 18) | (b << 12) | (c << 6) | d;
    // Writes past the end, where padding stands, are ignored by the array.
    bytes[at] = group >> 16;
    bytes[at + 1] = group >> 8;
    bytes[at + 2] = group;
  }
  const strayBits = group & (padding === 2 ? 0xffff : padding === 1 ? 0xff : 0);
  return bad < 64 && strayBits === 0 ? bytes : undefined;
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Equality of public values (hashes, key ids); it may stop at the first difference. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
