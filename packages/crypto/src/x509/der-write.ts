/** DER (ITU-T X.690 section 10): the few types a certificate is made of. `der-read.ts` is its strict counterpart. */
import { concatBytes, utf8 } from '@sealpost/protocol';
import { TAG } from './oid.ts';

export function element(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const content = concatBytes(...contents);
  return concatBytes(Uint8Array.of(tag, ...lengthOf(content.length)), content);
}

/** Shortest definite form (section 10.1). */
function lengthOf(length: number): readonly number[] {
  if (length < 0x80) return [length];
  if (length < 0x100) return [0x81, length];
  if (length < 0x10000) return [0x82, length >> 8, length & 0xff];
  throw new RangeError('a certificate is at most 65535 bytes');
}

export const sequence = (...parts: readonly Uint8Array[]) => element(TAG.sequence, ...parts);
export const octets = (bytes: Uint8Array) => element(TAG.octetString, bytes);
export const text = (value: string) => element(TAG.utf8String, utf8(value));
export const bits = (bytes: Uint8Array, unused = 0) => element(TAG.bitString, Uint8Array.of(unused), bytes);
export const isTrue = () => element(TAG.boolean, Uint8Array.of(0xff));

/** A non-negative INTEGER from big-endian bytes, in the fewest octets (section 8.3.2). */
export function integer(bytes: Uint8Array): Uint8Array {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const shortest = bytes.subarray(start);
  const negative = ((shortest[0] ?? 0) & 0x80) !== 0;
  return element(TAG.integer, negative ? concatBytes(Uint8Array.of(0), shortest) : shortest);
}

/** Base-128 arcs (section 8.19). */
export function objectId(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const encoded = [first * 40 + second, ...rest].flatMap((arc) => {
    const septets = [arc & 0x7f];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128))
      septets.unshift((left & 0x7f) | 0x80);
    return septets;
  });
  return element(TAG.objectId, Uint8Array.from(encoded));
}

/** UTCTime up to 2049, GeneralizedTime after (RFC 5280 section 4.1.2.5); whole seconds. */
export function time(at: number): Uint8Array {
  const digits = new Date(at)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(/[-:T]/g, '');
  return digits < '2050' ? element(TAG.utcTime, utf8(digits.slice(2))) : element(TAG.generalizedTime, utf8(digits));
}
