/**
 * Canonical JSON: the subset of RFC 8785 (JCS) that Sealpost signs and hashes. Strings, safe integers, booleans, null,
 * arrays and plain objects; members sorted by UTF-16 code units (section 3.2.3), absent members left out. Fractions
 * are refused so that no number formatting can differ between implementations.
 */
import { utf8 } from './bytes.ts';

export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw new TypeError('canonical JSON: a lone surrogate cannot be encoded');
    return JSON.stringify(value);
  }
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new TypeError('canonical JSON: only safe integers are signed');
    return String(Object.is(value, -0) ? 0 : value);
  }
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object') {
    const members = value as Readonly<Record<string, unknown>>;
    let text = '';
    // Array.sort without a comparator orders by UTF-16 code units, which is the order of section 3.2.3.
    for (const name of Object.keys(members).sort()) {
      if (members[name] === undefined) continue;
      text += `${text === '' ? '' : ','}${canonicalJson(name)}:${canonicalJson(members[name])}`;
    }
    return `{${text}}`;
  }
  throw new TypeError(`canonical JSON: a ${typeof value} has no JSON form`);
}

export function canonicalBytes(value: unknown): Uint8Array<ArrayBuffer> {
  return utf8(canonicalJson(value));
}
