/**
 * Tree hashing and appending against the vectors published with Certificate Transparency (RFC 6962, the same tree as
 * RFC 9162 section 2.1), and the frontier against its plain twin.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  appendLeaf,
  decodeFrontier,
  emptyFrontier,
  emptyRoot,
  encodeFrontier,
  type Frontier,
  frontierRoot,
  leafHash,
  nodeHash,
  rootOf,
} from '../src/index.ts';
import { hex, toHex } from './sample-log.ts';

const LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'].map(
  hex,
);

const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

const leafHashes = LEAVES.map((leaf) => leafHash(leaf));
const grow = (hashes: readonly Uint8Array[]): Frontier =>
  hashes.reduce((frontier, hash) => appendLeaf(frontier, hash), emptyFrontier);

describe('the tree', () => {
  test('hashes nothing to the empty root', () => {
    expect(toHex(emptyRoot())).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(rootOf([])).toEqual(emptyRoot());
    expect(frontierRoot(emptyFrontier)).toEqual(emptyRoot());
  });

  test('has the published root at every size from 1 to 8', () => {
    for (const [i, root] of ROOTS.entries()) {
      expect(toHex(rootOf(leafHashes.slice(0, i + 1)))).toBe(root);
      expect(toHex(frontierRoot(grow(leafHashes.slice(0, i + 1))))).toBe(root);
    }
  });

  test('never hashes a leaf like a node', () => {
    const [a, b] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
    expect(nodeHash(a, b)).not.toEqual(leafHash(Uint8Array.from([...a, ...b])));
  });

  test('refuses a node side that is not 32 bytes', () => {
    expect(() => nodeHash(new Uint8Array(31), new Uint8Array(33))).toThrow(/outside its range/);
  });
});

describe('the frontier', () => {
  test('gives the root of the plain definition at every size to 300', () => {
    const hashes = Array.from({ length: 300 }, (_, i) => leafHash(hex(i.toString(16).padStart(4, '0'))));
    let frontier = emptyFrontier;
    for (const [i, hash] of hashes.entries()) {
      frontier = appendLeaf(frontier, hash);
      expect(frontierRoot(frontier)).toEqual(rootOf(hashes.slice(0, i + 1)));
    }
  });

  test('leaves its input untouched when a leaf is appended', () => {
    const before = grow(leafHashes.slice(0, 7));
    const copy = structuredClone(before);
    appendLeaf(before, leafHash(hex('ff')));
    expect(before).toEqual(copy);
  });

  test('comes back from its bytes and goes on as if nothing had happened', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 80 }), fc.integer({ min: 0, max: 80 }), (stored, more) => {
        const all = Array.from({ length: stored + more }, (_, i) => leafHash(Uint8Array.of(i)));
        const restored = decodeFrontier(encodeFrontier(grow(all.slice(0, stored))));
        const whole = all.slice(stored).reduce((frontier, hash) => appendLeaf(frontier, hash), restored);
        expect(frontierRoot(whole)).toEqual(rootOf(all));
      }),
      { numRuns: 60 },
    );
  });

  test('is refused when its stored bytes are cut or stretched', () => {
    const bytes = encodeFrontier(grow(leafHashes.slice(0, 5)));
    for (const damaged of [bytes.slice(0, 7), bytes.slice(0, -1), Uint8Array.from([...bytes, 0])]) {
      expect(() => decodeFrontier(damaged)).toThrow(/frontier is damaged/);
    }
    const negative = bytes.slice();
    negative[0] = 0xff;
    expect(() => decodeFrontier(negative)).toThrow(/frontier is damaged/);
  });

  test('names each complete subtree once, with its root', () => {
    const seen = new Map<string, Uint8Array>();
    let frontier = emptyFrontier;
    for (const hash of leafHashes) {
      frontier = appendLeaf(frontier, hash, undefined, (level, index, root) => {
        expect(seen.has(`${level}/${index}`)).toBe(false);
        seen.set(`${level}/${index}`, root);
      });
    }
    expect(seen.size).toBe(15);
    expect(toHex(seen.get('3/0') ?? new Uint8Array())).toBe(ROOTS[7]);
    expect(seen.get('1/3')).toEqual(rootOf(leafHashes.slice(6, 8)));
  });
});
