/**
 * Tiles: C2SP tlog-tiles. A tile is up to 256 consecutive hashes of one tree level (0, 8, 16 …), stored under a path
 * that never changes its content once full; any proof can be computed from tiles alone. This file names tiles, computes
 * them and reads proofs from them; where they are stored is the caller's business.
 */
import { concatBytes } from '../bytes.ts';
import { requireCount, TlogError } from '../tlog-errors.ts';
import type { HashReader } from './hash-reader.ts';
import { HASH_LENGTH, portableSha256, rootOf, type Sha256 } from './hashing.ts';

export const TILE_WIDTH = 256;
const TILE_HEIGHT = 8;
const MAX_TILE_LEVEL = 63;

/** `width` hashes (1 to 256) of tile level `level` (tree level 8 * level), from hash `index * 256` on. */
export type Tile = { readonly level: number; readonly index: number; readonly width: number };

/** `tile/<L>/<N>`, with `.p/<W>` when partial: `tile/1/x001/234`, `tile/0/273.p/112`. Throws ERR_TLOG_ARGUMENT. */
export function tilePath(tile: Tile): string {
  requireCount(tile.level, 0, 'tile level');
  if (tile.level > MAX_TILE_LEVEL) throw new TlogError('ERR_TLOG_ARGUMENT', 'tile level');
  return `tile/${tile.level}/${numberedPath(tile.index, tile.width)}`;
}

/** `tile/entries/<N>[.p/<W>]`: the bundle of log entries beside the level 0 tile of the same number. */
export function entriesPath(index: number, width: number): string {
  return `tile/entries/${numberedPath(index, width)}`;
}

/** The tile a path names; `undefined` when it is not exactly the path `tilePath` gives for some tile. */
export function parseTilePath(path: string): Tile | undefined {
  const match = /^tile\/(\d{1,2})\/((?:x\d{3}\/){0,5}\d{3})(?:\.p\/(\d{1,3}))?$/.exec(path);
  if (match === null) return undefined;
  const [, level, digits, width] = match;
  const tile = {
    level: Number(level),
    index: Number(digits?.replaceAll(/[x/]/g, '')),
    width: width === undefined ? TILE_WIDTH : Number(width),
  };
  const inRange = tile.level <= MAX_TILE_LEVEL && tile.width >= 1 && tile.width <= TILE_WIDTH;
  return inRange && Number.isSafeInteger(tile.index) && tilePath(tile) === path ? tile : undefined;
}

/** The tile that holds the complete subtree (`level`, `index`) in a tree of `size` leaves, as wide as that tree has it. */
export function tileOf(level: number, index: number, size: number): Tile {
  const tileLevel = Math.floor(level / TILE_HEIGHT);
  const tileIndex = Math.floor((index * 2 ** (level % TILE_HEIGHT)) / TILE_WIDTH);
  return { level: tileLevel, index: tileIndex, width: widthIn(size, tileLevel, tileIndex) };
}

/** The tiles to write when a tree grows from `oldSize` to `newSize`: every new full tile and the new partial ones. */
export function newTiles(oldSize: number, newSize: number): Tile[] {
  requireCount(oldSize, 0, 'old size');
  requireCount(newSize, oldSize, 'new size');
  const tiles: Tile[] = [];
  for (let level = 0, unit = 1; unit <= newSize; level++, unit *= TILE_WIDTH) {
    const [before, after] = [Math.floor(oldSize / unit), Math.floor(newSize / unit)];
    if (before === after) continue;
    for (let index = Math.floor(before / TILE_WIDTH); index * TILE_WIDTH < after; index++) {
      tiles.push({ level, index, width: Math.min(TILE_WIDTH, after - index * TILE_WIDTH) });
    }
  }
  return tiles;
}

/** The bytes of a tile: its hashes one after the other, 32 * width bytes. What the reader throws passes through. */
export async function tileBytes(tile: Tile, reader: HashReader): Promise<Uint8Array<ArrayBuffer>> {
  const first = tile.index * TILE_WIDTH;
  const hashes: Uint8Array[] = [];
  for (let i = 0; i < tile.width; i++) hashes.push(await reader.hash(tile.level * TILE_HEIGHT, first + i));
  return concatBytes(...hashes);
}

/** Gives the bytes of a tile, or `undefined` when it is not there (a partial tile may be gone once the full one exists). */
export type TileSource = (tile: Tile) => Promise<Uint8Array | undefined>;

/**
 * A reader over the tiles of a tree of `size` leaves. Tiles are fetched once and kept for the life of the reader: make one
 * per proof. Bytes are not trusted: a wrong tile gives a proof that does not verify. Rejects with ERR_TLOG_HASH_MISSING
 * when neither the partial nor the full tile is there, ERR_TLOG_TILE when a length is wrong.
 */
export function readerFromTiles(size: number, source: TileSource, sha256: Sha256 = portableSha256): HashReader {
  const fetched = new Map<string, Promise<Uint8Array>>();
  return {
    async hash(level, index) {
      const tile = tileOf(level, index, size);
      const path = tilePath({ ...tile, width: Math.max(1, tile.width) });
      const pending = fetched.get(path) ?? fetchTile(tile, source);
      fetched.set(path, pending);
      const bytes = await pending;
      const span = 2 ** (level % TILE_HEIGHT);
      const start = index * span - tile.index * TILE_WIDTH;
      if (start + span > tile.width) throw new TlogError('ERR_TLOG_HASH_MISSING', `subtree ${level}/${index}`);
      const hashes = Array.from({ length: span }, (_, i) => hashAt(bytes, start + i));
      return rootOf(hashes, sha256);
    },
  };
}

async function fetchTile(tile: Tile, source: TileSource): Promise<Uint8Array> {
  if (tile.width < 1) throw new TlogError('ERR_TLOG_HASH_MISSING', 'tile is outside the tree');
  let bytes = await source(tile);
  let width = tile.width;
  if (bytes === undefined && width < TILE_WIDTH) {
    width = TILE_WIDTH;
    bytes = await source({ ...tile, width });
  }
  if (bytes === undefined) throw new TlogError('ERR_TLOG_HASH_MISSING', tilePath(tile));
  if (bytes.length !== width * HASH_LENGTH) throw new TlogError('ERR_TLOG_TILE', tilePath(tile));
  return bytes;
}

function widthIn(size: number, tileLevel: number, tileIndex: number): number {
  const hashes = Math.floor(size / TILE_WIDTH ** tileLevel);
  return Math.max(0, Math.min(TILE_WIDTH, hashes - tileIndex * TILE_WIDTH));
}

function numberedPath(index: number, width: number): string {
  requireCount(index, 0, 'tile index');
  requireCount(width, 1, 'tile width');
  if (width > TILE_WIDTH) throw new TlogError('ERR_TLOG_ARGUMENT', 'tile width');
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g) ?? [];
  const path = groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join('/');
  return width === TILE_WIDTH ? path : `${path}.p/${width}`;
}

function hashAt(bytes: Uint8Array, index: number): Uint8Array {
  return bytes.subarray(index * HASH_LENGTH, (index + 1) * HASH_LENGTH);
}
