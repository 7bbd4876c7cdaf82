/**
 * A write batch as bytes: magic, then for each change the name, whether it is kept, and the sealed value, each preceded
 * by its length. Names and sizes are in clear; values are sealed before they come here.
 */
import { concatBytes, equalBytes, fromUtf8, utf8 } from '@sealpost/protocol';
import type { StoreChanges } from './store.ts';

const MAGIC = utf8('SPDJ1');

function prefixed(bytes: Uint8Array): Uint8Array[] {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, bytes.length);
  return [length, bytes];
}

export function encodeJournal(changes: StoreChanges): Uint8Array {
  const parts: Uint8Array[] = [MAGIC];
  for (const [name, value] of changes) {
    parts.push(...prefixed(utf8(name)), Uint8Array.of(value === null ? 0 : 1), ...prefixed(value ?? new Uint8Array()));
  }
  return concatBytes(...parts);
}

/** `undefined` for anything `encodeJournal` does not make. */
export function decodeJournal(bytes: Uint8Array): StoreChanges | undefined {
  if (!equalBytes(bytes.subarray(0, MAGIC.length), MAGIC)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const changes = new Map<string, Uint8Array | null>();
  let at = MAGIC.length;
  const next = (): Uint8Array | undefined => {
    if (at + 4 > bytes.length) return undefined;
    const end = at + 4 + view.getUint32(at);
    if (end > bytes.length) return undefined;
    const part = bytes.slice(at + 4, end);
    at = end;
    return part;
  };
  while (at < bytes.length) {
    const name = next();
    const kept = bytes[at++];
    const value = next();
    if (name === undefined || value === undefined || (kept !== 0 && kept !== 1)) return undefined;
    try {
      changes.set(fromUtf8(name), kept === 1 ? value : null);
    } catch {
      return undefined;
    }
  }
  return changes;
}
