/**
 * Inclusion and consistency proofs (RFC 9162 sections 2.1.3 and 2.1.4): published vectors, every index of every small
 * tree, and no single changed bit that survives.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  consistencyProof,
  emptyRoot,
  inclusionProof,
  leafHash,
  readerFromLeaves,
  rootOf,
  verifyConsistency,
  verifyInclusion,
} from '../src/index.ts';
import { hex, toHex } from './sample-log.ts';

const PUBLISHED = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f']
  .map(hex)
  .map((leaf) => leafHash(leaf));
const published = readerFromLeaves(PUBLISHED);

const MANY = Array.from({ length: 200 }, (_, i) => leafHash(Uint8Array.of(i)));
const many = readerFromLeaves(MANY);
const roots = Array.from({ length: 201 }, (_, size) => rootOf(MANY.slice(0, size)));

function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const flipped = bytes.slice();
  flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return flipped;
}

describe('an inclusion proof', () => {
  test('is the published one for leaf 5 of 8', async () => {
    expect((await inclusionProof(5, 8, published)).map(toHex)).toEqual([
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ]);
  });

  test('holds for every index of every size to 200, and for no neighbouring index', async () => {
    for (let size = 1; size <= 200; size++) {
      const root = roots[size]!;
      for (let index = 0; index < size; index++) {
        const proof = await inclusionProof(index, size, many);
        const claim = { leafHash: MANY[index]!, index, size, proof, root };
        if (!verifyInclusion(claim)) expect.fail(`${index} of ${size}`);
        if (verifyInclusion({ ...claim, index: (index + 1) % size }) && size > 1) expect.fail(`moved ${index}/${size}`);
      }
    }
  });

  test('fails after any change of one bit, of length or of order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 200 }), fc.nat(), fc.nat(), async (size, at, anyBit) => {
        const index = at % size;
        const proof = await inclusionProof(index, size, many);
        const claim = { leafHash: MANY[index]!, index, size, proof, root: roots[size]! };
        const bit = anyBit % (proof.length * 256);
        const changed = proof.map((hash, i) => (i === bit >> 8 ? flip(hash, bit & 255) : hash));
        expect(verifyInclusion(claim)).toBe(true);
        expect(verifyInclusion({ ...claim, proof: changed })).toBe(false);
        expect(verifyInclusion({ ...claim, proof: proof.slice(1) })).toBe(false);
        expect(verifyInclusion({ ...claim, proof: [...proof, claim.root] })).toBe(false);
        expect(verifyInclusion({ ...claim, leafHash: flip(claim.leafHash, bit & 255) })).toBe(false);
        expect(verifyInclusion({ ...claim, root: flip(claim.root, bit & 255) })).toBe(false);
        if (proof.length > 1) expect(verifyInclusion({ ...claim, proof: proof.toReversed() })).toBe(false);
      }),
    );
  });

  test('is answered with false, not an exception, when a claim makes no sense', () => {
    const [leaf, root] = [MANY[0]!, MANY[0]!];
    for (const [index, size] of [
      [1, 1],
      [-1, 1],
      [0, 0],
      [0.5, 2],
      [Number.NaN, 2],
      [0, Number.POSITIVE_INFINITY],
    ] as const) {
      expect(verifyInclusion({ leafHash: leaf, index, size, proof: [], root })).toBe(false);
    }
    expect(verifyInclusion({ leafHash: leaf, index: 0, size: 2, proof: [new Uint8Array(31)], root })).toBe(false);
  });

  test('cannot be asked for outside the tree', async () => {
    await expect(inclusionProof(8, 8, published)).rejects.toThrow(/outside the tree/);
    await expect(inclusionProof(0, 9, published)).rejects.toThrow(/is not there/);
  });
});

describe('a consistency proof', () => {
  test('is the published one from 6 to 8 and from 2 to 5', async () => {
    expect((await consistencyProof(6, 8, published)).map(toHex)).toEqual([
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ]);
    expect((await consistencyProof(2, 5, published)).map(toHex)).toEqual([
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ]);
  });

  test('holds between every two sizes to 120, and for no other first size', async () => {
    for (let second = 0; second <= 120; second++) {
      for (let first = 0; first <= second; first++) {
        const proof = await consistencyProof(first, second, many);
        const claim = { first, second, firstRoot: roots[first]!, secondRoot: roots[second]!, proof };
        if (!verifyConsistency(claim)) expect.fail(`${first} to ${second}`);
        if (first > 0 && verifyConsistency({ ...claim, first: first - 1 }))
          expect.fail(`not ${first - 1} to ${second}`);
      }
    }
  });

  test('fails after any change of one bit or of length', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 200 }), fc.nat(), fc.nat(), async (second, at, anyBit) => {
        const first = 1 + (at % (second - 1));
        const proof = await consistencyProof(first, second, many);
        const claim = { first, second, firstRoot: roots[first]!, secondRoot: roots[second]!, proof };
        const bit = anyBit % (proof.length * 256);
        const changed = proof.map((hash, i) => (i === bit >> 8 ? flip(hash, bit & 255) : hash));
        expect(verifyConsistency(claim)).toBe(true);
        expect(verifyConsistency({ ...claim, proof: changed })).toBe(false);
        expect(verifyConsistency({ ...claim, proof: proof.slice(0, -1) })).toBe(false);
        expect(verifyConsistency({ ...claim, proof: [...proof, claim.firstRoot] })).toBe(false);
        expect(verifyConsistency({ ...claim, firstRoot: flip(claim.firstRoot, bit & 255) })).toBe(false);
        expect(verifyConsistency({ ...claim, secondRoot: flip(claim.secondRoot, bit & 255) })).toBe(false);
      }),
    );
  });

  test('of the empty tree or of a tree with itself is empty and still checks the roots', () => {
    const [none, some] = [emptyRoot(), roots[7]!];
    const claim = { first: 0, second: 7, firstRoot: none, secondRoot: some, proof: [] };
    expect(verifyConsistency(claim)).toBe(true);
    expect(verifyConsistency({ ...claim, firstRoot: some })).toBe(false);
    expect(verifyConsistency({ ...claim, proof: [some] })).toBe(false);
    expect(verifyConsistency({ ...claim, first: 7, firstRoot: some })).toBe(true);
    expect(verifyConsistency({ ...claim, first: 7 })).toBe(false);
    expect(verifyConsistency({ ...claim, second: 0, firstRoot: some })).toBe(false);
    expect(verifyConsistency({ ...claim, first: 8 })).toBe(false);
  });

  test('cannot be asked for from the larger to the smaller tree', async () => {
    await expect(consistencyProof(5, 4, published)).rejects.toThrow(/wrong order/);
  });
});
