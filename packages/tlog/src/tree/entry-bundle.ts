/**
 * Entry bundles: C2SP tlog-tiles, "Log entries". The leaf data of up to 256 consecutive entries, each behind its length
 * as u16 big-endian, stored at `entriesPath`. Each entry hashes (`leafHash`) to the hash at the same place of the level 0
 * tile with the same number. Bundles hold leaf data only, never records or salts: they may be public.
 */
import { requireCount, TlogError } from '../tlog-errors.ts';
import { TILE_WIDTH } from './tiles.ts';

const MAX_ENTRY_LENGTH = 0xffff;

/** Throws ERR_TLOG_ARGUMENT for more than 256 entries or an entry longer than 65,535 bytes. */
export function encodeEntryBundle(entries: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  if (entries.length > TILE_WIDTH) throw new TlogError('ERR_TLOG_ARGUMENT', 'entries of a bundle');
  for (const entry of entries) requireCount(MAX_ENTRY_LENGTH - entry.length, 0, 'length of a bundled entry');
  const bundle = new Uint8Array(entries.reduce((length, entry) => length + 2 + entry.length, 0));
  const view = new DataView(bundle.buffer);
  let at = 0;
  for (const entry of entries) {
    view.setUint16(at, entry.length);
    bundle.set(entry, at + 2);
    at += 2 + entry.length;
  }
  return bundle;
}

export type EntryBundle =
  | { readonly kind: 'parsed'; readonly entries: readonly Uint8Array[] }
  | { readonly kind: 'malformed'; readonly reason: string };

/** The entries of a bundle of unknown origin; malformed when a length runs over the end or there are more than 256. */
export function parseEntryBundle(bundle: Uint8Array): EntryBundle {
  const view = new DataView(bundle.buffer, bundle.byteOffset, bundle.length);
  const entries: Uint8Array[] = [];
  let at = 0;
  while (at < bundle.length) {
    if (at + 2 > bundle.length) return { kind: 'malformed', reason: 'the bundle ends within a length' };
    const end = at + 2 + view.getUint16(at);
    if (end > bundle.length) return { kind: 'malformed', reason: 'the bundle ends within an entry' };
    if (entries.length === TILE_WIDTH) return { kind: 'malformed', reason: 'the bundle has more than 256 entries' };
    entries.push(bundle.slice(at + 2, end));
    at = end;
  }
  return { kind: 'parsed', entries };
}
