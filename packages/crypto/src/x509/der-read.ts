/**
 * A strict reader of DER: one spelling for each value (ITU-T X.690 section 10), every octet accounted for. Lenient BER
 * readers let one certificate have two encodings and so two hashes. Inside this folder a `DerError` ends the parse; the
 * doors turn it into "malformed".
 */
import { fromUtf8 } from '@sealpost/protocol';
import { TAG } from './oid.ts';

export class DerError extends Error {
  override readonly name = 'DerError';
}

export interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
  /** With tag and length, as it was signed or compared. */
  readonly whole: Uint8Array;
}

const SIZE_LIMIT = 16_384;

export function check(condition: boolean, what: string): asserts condition {
  if (!condition) throw new DerError(what);
}

/** The elements that fill these bytes exactly. */
export function elements(bytes: Uint8Array): readonly Element[] {
  check(bytes.length <= SIZE_LIMIT, 'too long');
  const found: Element[] = [];
  for (let at = 0; at < bytes.length; ) {
    const element = elementAt(bytes, at);
    found.push(element);
    at += element.whole.length;
  }
  return found;
}

function elementAt(bytes: Uint8Array, start: number): Element {
  const [tag, short] = [bytes[start], bytes[start + 1]];
  check(tag !== undefined && short !== undefined && (tag & 0x1f) !== 0x1f, 'no element');
  const count = short < 0x80 ? 0 : short & 0x7f;
  check(short < 0x80 || count === 1 || count === 2, 'length form');
  let length = short;
  if (count > 0) {
    length = 0;
    for (const octet of bytes.subarray(start + 2, start + 2 + count)) length = length * 256 + octet;
    check(length >= (count === 1 ? 0x80 : 0x100), 'length is not the shortest');
  }
  const from = start + 2 + count;
  check(from + length <= bytes.length, 'truncated');
  return { tag, content: bytes.subarray(from, from + length), whole: bytes.subarray(start, from + length) };
}

/** The only element of these bytes, with this tag. */
export function only(bytes: Uint8Array, tag: number): Element {
  const [first, ...more] = elements(bytes);
  check(first !== undefined && more.length === 0, 'one element expected');
  return tagged(first, tag);
}

export function tagged(element: Element | undefined, tag: number): Element {
  check(element !== undefined && element.tag === tag, 'another type expected');
  return element;
}

export const parts = (element: Element | undefined, tag: number = TAG.sequence) =>
  elements(tagged(element, tag).content);

export function objectId(element: Element | undefined): string {
  const octets = tagged(element, TAG.objectId).content;
  const arcs: number[] = [];
  let arc = 0;
  let fresh = true;
  for (const octet of octets) {
    check(!(fresh && octet === 0x80) && arc < 2 ** 40, 'object identifier');
    arc = arc * 128 + (octet & 0x7f);
    fresh = (octet & 0x80) === 0;
    if (fresh) arcs.push(arc);
    if (fresh) arc = 0;
  }
  const [first, ...rest] = arcs;
  check(fresh && first !== undefined, 'object identifier');
  const root = Math.min(2, Math.floor(first / 40));
  return [root, first - root * 40, ...rest].join('.');
}

/** A non-negative INTEGER, big-endian, without the sign octet. */
export function unsigned(element: Element | undefined): Uint8Array {
  const octets = tagged(element, TAG.integer).content;
  const [first, second] = octets;
  check(first !== undefined && first < 0x80, 'integer');
  check(!(first === 0 && second !== undefined && second < 0x80), 'integer is not the shortest');
  return first === 0 && octets.length > 1 ? octets.subarray(1) : octets;
}

export function boolean(element: Element | undefined): boolean {
  const octets = tagged(element, TAG.boolean).content;
  check(octets.length === 1 && (octets[0] === 0 || octets[0] === 0xff), 'boolean');
  return octets[0] === 0xff;
}

/** A BIT STRING; unused bits are zero (section 11.2.1). */
export function bitString(element: Element | undefined): { readonly unused: number; readonly bytes: Uint8Array } {
  const [unused, ...octets] = tagged(element, TAG.bitString).content;
  check(unused !== undefined && unused < 8 && (octets.length > 0 || unused === 0), 'bit string');
  check(((octets.at(-1) ?? 0) & ((1 << unused) - 1)) === 0, 'bit string padding');
  return { unused, bytes: Uint8Array.from(octets) };
}

export function text(element: Element): string {
  try {
    return fromUtf8(element.content);
  } catch {
    throw new DerError('text is not UTF-8');
  }
}

/** UTCTime until 2049 and GeneralizedTime after, in Zulu with seconds (RFC 5280 section 4.1.2.5). */
export function time(element: Element | undefined): number {
  check(element !== undefined && (element.tag === TAG.utcTime || element.tag === TAG.generalizedTime), 'time');
  const utc = element.tag === TAG.utcTime;
  const digits = text(element);
  check(utc ? /^\d{12}Z$/.test(digits) : /^\d{14}Z$/.test(digits), 'time form');
  const full = utc ? `${Number(digits.slice(0, 2)) < 50 ? '20' : '19'}${digits}` : digits;
  check(utc || full >= '2050', 'time should be UTCTime');
  const iso = full.replace(/^(....)(..)(..)(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6.000Z');
  const at = Date.parse(iso);
  check(Number.isFinite(at) && new Date(at).toISOString() === iso, 'no such time');
  return at;
}
