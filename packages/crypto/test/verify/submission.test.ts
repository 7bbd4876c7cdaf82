import type { Submission } from '@sealpost/protocol';
import { fromBase64url, toBase64url } from '@sealpost/protocol';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Signer, signBatch } from '../../src/signer/index.ts';
import { batchTree, leafHash, rootOfPath } from '../../src/verify/batch-tree.ts';
import { envelopeId, verifySubmission } from '../../src/verify/index.ts';
import { envelope, NOW, signerOf } from './people.ts';

const TERMS = { audience: 'https://gateway.acme.example', bundle: 3, expires: NOW + 60_000 };
let control: Signer;
let stranger: Signer;
const check = (submission: Submission, now = NOW, audience = TERMS.audience) =>
  verifySubmission(submission, { keys: (id) => (id === control.keyId ? control.publicJwk : undefined), audience, now });
const batch = (count: number, from = 0) =>
  signBatch(
    Array.from({ length: count }, (_, at) => envelope(from + at)),
    TERMS,
    control,
  );

beforeAll(async () => {
  control = await signerOf('EdDSA');
  stranger = await signerOf('EdDSA');
});

describe.each([1, 2, 3, 7, 100])('a batch of %i', (count) => {
  test('verifies as a whole and names each envelope by its id', async () => {
    const submission = await batch(count);
    const ids = submission.envelopes.map(({ envelope: one }) => envelopeId(one));
    expect(await check(submission)).toEqual({ kind: 'ok', ids });
  });

  test('verifies envelope by envelope, each with its path alone', async () => {
    const submission = await batch(count);
    for (const entry of submission.envelopes) {
      expect(await check({ ...submission, envelopes: [entry] })).toMatchObject({ kind: 'ok' });
    }
  });

  test('is refused at the envelope whose path was changed', async () => {
    const submission = await batch(count);
    for (const [at, entry] of submission.envelopes.entries()) {
      const longer = { ...entry, path: [...entry.path, 'A'.repeat(43)] };
      const envelopes = submission.envelopes.with(at, longer);
      expect(await check({ ...submission, envelopes })).toEqual({ kind: 'refused', code: 'path', index: at });
      expect(await check({ ...submission, envelopes: [longer] })).toEqual({ kind: 'refused', code: 'path', index: 0 });
    }
  });
});

test('an envelope of another batch is refused', async () => {
  const [own, other] = [await batch(4), await batch(4, 100)];
  const [entry] = other.envelopes;
  expect(await check({ ...own, envelopes: own.envelopes.with(0, entry!) })).toEqual({
    kind: 'refused',
    code: 'path',
    index: 0,
  });
});

test('envelopes that changed places, stand twice or outside the batch are refused', async () => {
  const submission = await batch(3);
  const [a, b, c] = submission.envelopes;
  const moved = [{ ...a!, index: 1 }, { ...b!, index: 0 }, c!];
  expect(await check({ ...submission, envelopes: moved })).toMatchObject({ code: 'path' });
  expect(await check({ ...submission, envelopes: [a!, a!] })).toEqual({ kind: 'refused', code: 'index', index: 1 });
  expect(await check({ ...submission, envelopes: [{ ...a!, index: 3 }] })).toMatchObject({ code: 'index' });
  expect(await check({ ...submission, envelopes: [a!, b!, c!, c!] })).toMatchObject({ code: 'size' });
});

test('a wrong audience, an expired statement and an unknown key are refused', async () => {
  const submission = await batch(2);
  expect(await check(submission, NOW, 'https://elsewhere')).toEqual({ kind: 'refused', code: 'audience' });
  expect(await check(submission, TERMS.expires)).toEqual({ kind: 'refused', code: 'expired' });
  const foreign = await signBatch([envelope(1)], TERMS, stranger);
  expect(await check(foreign)).toEqual({ kind: 'refused', code: 'unknown-key' });
  const posing = { ...foreign, statement: { ...foreign.statement, key: control.keyId } };
  expect(await check(posing)).toEqual({ kind: 'refused', code: 'signature' });
});

test('an envelope of another bundle than the statement is refused, and never signed', async () => {
  const submission = await batch(1);
  const [entry] = submission.envelopes;
  const envelopes = [{ ...entry!, envelope: { ...entry!.envelope, bundle: 4 } }];
  expect(await check({ ...submission, envelopes })).toEqual({ kind: 'refused', code: 'bundle', index: 0 });
  await expect(signBatch([envelope(1, { bundle: 4 })], TERMS, control)).rejects.toThrow(TypeError);
  await expect(signBatch([], TERMS, control)).rejects.toThrow(TypeError);
});

test('a second spelling of the signature, the root or a path is refused', async () => {
  const submission = await batch(2);
  const respell = (text: string) => {
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    return text.slice(0, -1) + letters.charAt(letters.indexOf(text.slice(-1)) + 1);
  };
  expect(fromBase64url(respell(submission.signature))).toBeUndefined();
  expect(await check({ ...submission, signature: respell(submission.signature) })).toMatchObject({ code: 'malformed' });
  const [a, b] = submission.envelopes;
  const respelled = { ...a!, path: a!.path.map(respell) };
  expect(await check({ ...submission, envelopes: [respelled, b!] })).toMatchObject({ code: 'path' });
  expect(await check({ ...submission, envelopes: [respelled] })).toMatchObject({ code: 'malformed' });
});

test('a change of any one member of the statement is refused', async () => {
  const submission = await batch(2);
  for (const change of [{ bundle: 4 }, { expires: TERMS.expires + 1 }, { size: 3 }, { root: 'A'.repeat(43) }]) {
    const verdict = await check({ ...submission, statement: { ...submission.statement, ...change } });
    expect(verdict.kind).toBe('refused');
  }
});

test('a flipped bit anywhere in the signature or in an envelope is refused', async () => {
  const submission = await batch(3);
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: 511 }), fc.nat({ max: 2 }), fc.nat({ max: 299 }), async (bit, which, at) => {
      const signature = fromBase64url(submission.signature)!.map((o, i) => (i === bit >> 3 ? o ^ (1 << (bit & 7)) : o));
      expect((await check({ ...submission, signature: toBase64url(signature) })).kind).toBe('refused');
      const ciphertext = `${'A'.repeat(at)}B${'A'.repeat(399 - at)}`;
      const entry = submission.envelopes[which]!;
      const changed = { ...entry, envelope: { ...entry.envelope, parts: [{ form: 'device', epoch: 1, ciphertext }] } };
      const envelopes = submission.envelopes.with(which, changed as typeof entry);
      expect(await check({ ...submission, envelopes })).toMatchObject({ kind: 'refused', code: 'path' });
    }),
    { numRuns: 60 },
  );
});

test('the tree built level by level is the one RFC 9162 defines recursively, and every path leads to its root', () => {
  const node = (l: Uint8Array, r: Uint8Array) => batchTree([l, r]).root;
  const recursive = (leaves: readonly Uint8Array[]): Uint8Array => {
    if (leaves.length === 1) return leaves[0]!;
    const split = 2 ** Math.floor(Math.log2(leaves.length - 1));
    return node(recursive(leaves.slice(0, split)), recursive(leaves.slice(split)));
  };
  for (let size = 1; size <= 40; size++) {
    const leaves = Array.from({ length: size }, (_, at) => leafHash(Uint8Array.of(at)));
    const { root, paths } = batchTree(leaves);
    expect(root).toEqual(recursive(leaves));
    for (const [at, leaf] of leaves.entries()) {
      expect(rootOfPath(leaf, at, size, paths[at]!)).toEqual(root);
      expect(rootOfPath(leaf, (at + 1) % size, size, paths[at]!)).not.toEqual(size === 1 ? 'same' : root);
    }
  }
});

test('an envelope id recorded with this release stays what it is', () => {
  expect(envelopeId(envelope(1))).toBe('jlNE7mbP6-ebaywNY9gbwyoE7m3_lx0ivyKQzacCAe8');
});
