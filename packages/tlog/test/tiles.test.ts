/** Tiles and entry bundles of C2SP tlog-tiles: names, contents, and proofs read from nothing but tiles. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  consistencyProof,
  encodeEntryBundle,
  entriesPath,
  inclusionProof,
  leafHash,
  newTiles,
  parseEntryBundle,
  parseTilePath,
  readerFromLeaves,
  readerFromTiles,
  rootOf,
  tileBytes,
  tilePath,
  verifyConsistency,
  verifyInclusion,
} from '../src/index.ts';
import { bytesOf } from './sample-log.ts';

const SIZE = 70_000;
const leaves = Array.from({ length: SIZE }, (_, i) => leafHash(bytesOf(String(i))));
const fromLeaves = readerFromLeaves(leaves);

describe('a tile path', () => {
  test('groups the number in threes and marks a partial tile', () => {
    expect(tilePath({ level: 0, index: 1_234_067, width: 256 })).toBe('tile/0/x001/x234/067');
    expect(tilePath({ level: 0, index: 273, width: 112 })).toBe('tile/0/273.p/112');
    expect(tilePath({ level: 2, index: 0, width: 1 })).toBe('tile/2/000.p/1');
    expect(entriesPath(1_000, 256)).toBe('tile/entries/x001/000');
  });

  test('comes back as the tile it names', () => {
    const tile = fc.record({
      level: fc.integer({ min: 0, max: 63 }),
      index: fc.maxSafeNat(),
      width: fc.integer({ min: 1, max: 256 }),
    });
    fc.assert(
      fc.property(tile, (any) => {
        expect(parseTilePath(tilePath(any))).toEqual(any);
      }),
    );
  });

  test('is refused in any second spelling', () => {
    const spellings = [
      'tile/00/000',
      'tile/64/000',
      'tile/0/00',
      'tile/0/x000/001',
      'tile/0/000.p/0',
      'tile/0/000.p/01',
    ];
    for (const path of [
      ...spellings,
      'tile/0/000.p/256',
      'tile/0/001/002',
      '/tile/0/000',
      'tile/0/000\n',
      'tile/entries/000',
    ]) {
      expect(parseTilePath(path), path).toBeUndefined();
    }
  });
});

describe('the tiles of a log', () => {
  test('are those the specification counts for 70,000 entries', () => {
    const count = (level: number, partial: boolean) =>
      newTiles(0, SIZE).filter((tile) => tile.level === level && tile.width < 256 === partial);
    expect(count(0, false)).toHaveLength(273);
    expect(count(0, true)).toEqual([{ level: 0, index: 273, width: 112 }]);
    expect(count(1, false)).toEqual([{ level: 1, index: 0, width: 256 }]);
    expect(count(1, true)).toEqual([{ level: 1, index: 1, width: 17 }]);
    expect(count(2, true)).toEqual([{ level: 2, index: 0, width: 1 }]);
    expect(newTiles(0, 256).map(tilePath)).toEqual(['tile/0/000', 'tile/1/000.p/1']);
  });

  test('are written once each however the log grows', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 900 }), { maxLength: 8 }), (steps) => {
        const full = new Map<string, number>();
        let size = 0;
        for (const step of steps) {
          for (const tile of newTiles(size, size + step)) {
            if (tile.width === 256) full.set(tilePath(tile), (full.get(tilePath(tile)) ?? 0) + 1);
          }
          size += step;
        }
        const atOnce = newTiles(0, size).filter((tile) => tile.width === 256);
        expect([...full.keys()].sort()).toEqual(atOnce.map(tilePath).sort());
        expect([...full.values()].every((times) => times === 1)).toBe(true);
      }),
    );
  });

  test('are enough for inclusion and consistency proofs', async () => {
    const stored = await storeTiles(SIZE);
    const reader = readerFromTiles(SIZE, async (tile) => stored.get(tilePath(tile)));
    const root = rootOf(leaves);
    for (const index of [0, 1, 255, 256, 65_535, 65_536, 69_887, 69_888, 69_999]) {
      const proof = await inclusionProof(index, SIZE, reader);
      expect(verifyInclusion({ leafHash: leaves[index]!, index, size: SIZE, proof, root })).toBe(true);
    }
    for (const first of [1, 255, 256, 257, 40_000, 65_536, 69_999]) {
      const proof = await consistencyProof(first, SIZE, reader);
      const firstRoot = rootOf(leaves.slice(0, first));
      expect(verifyConsistency({ first, second: SIZE, firstRoot, secondRoot: root, proof })).toBe(true);
    }
  });

  test('may lack a partial tile once the full one is there', async () => {
    const stored = new Map([...(await storeTiles(700)), ...(await storeTiles(1024))]);
    expect(stored.delete('tile/0/002.p/188')).toBe(true);
    const reader = readerFromTiles(700, async (tile) => stored.get(tilePath(tile)));
    const proof = await inclusionProof(600, 700, reader);
    const root = rootOf(leaves.slice(0, 700));
    expect(verifyInclusion({ leafHash: leaves[600]!, index: 600, size: 700, proof, root })).toBe(true);
  });

  test('that are missing or of the wrong length stop the proof', async () => {
    await expect(
      inclusionProof(
        3,
        700,
        readerFromTiles(700, async () => undefined),
      ),
    ).rejects.toThrow(/is not there/);
    const short = readerFromTiles(700, async () => new Uint8Array(31));
    await expect(inclusionProof(3, 700, short)).rejects.toThrow(/length its path states/);
  });
});

describe('an entry bundle', () => {
  test('comes back entry by entry', () => {
    const entries = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 256 });
    fc.assert(
      fc.property(entries, (list) => {
        expect(parseEntryBundle(encodeEntryBundle(list))).toEqual({ kind: 'parsed', entries: list });
      }),
      { numRuns: 30 },
    );
  });

  test('is malformed when cut, and refused when too large', () => {
    const bundle = encodeEntryBundle([bytesOf('one'), bytesOf('two')]);
    expect(parseEntryBundle(bundle.slice(0, -1)).kind).toBe('malformed');
    expect(parseEntryBundle(bundle.slice(0, 6)).kind).toBe('malformed');
    expect(parseEntryBundle(new Uint8Array(2 * 257)).kind).toBe('malformed');
    expect(() => encodeEntryBundle([new Uint8Array(65_536)])).toThrow(/outside its range/);
    expect(() => encodeEntryBundle(Array.from({ length: 257 }, () => new Uint8Array(1)))).toThrow(/outside its range/);
  });
});

async function storeTiles(size: number): Promise<Map<string, Uint8Array>> {
  const stored = new Map<string, Uint8Array>();
  for (const tile of newTiles(0, size)) stored.set(tilePath(tile), await tileBytes(tile, fromLeaves));
  return stored;
}
