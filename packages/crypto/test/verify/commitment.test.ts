import { fromBase64url, messageIdSchema, toBase64url, utf8 } from '@sealpost/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { commitmentOf, encodeAuthenticatedData } from '../../src/seal/index.ts';
import { decodeAuthenticatedData, verifyCommitment } from '../../src/verify/index.ts';

const COMMITTED = {
  openingKey: new Uint8Array(32).fill(1),
  content: utf8('{"body":"disk full"}'),
  sender: 'acme-incidents',
  conversation: 'con_AAAAAAAAAAAAAAAAAAAAAA',
  message: '01890000-0000-7000-8000-000000000001',
};

describe('a commitment', () => {
  test('recorded with this release stays what it is', () => {
    expect(commitmentOf(COMMITTED)).toBe('a5SlmlYKd5pKYU9latMm_tkbeNtqgxz5C2Wy-HFosMI');
  });

  test('verifies for what it was made of and for nothing else', () => {
    const commitment = commitmentOf(COMMITTED);
    expect(verifyCommitment({ ...COMMITTED, commitment })).toBe(true);
    for (const change of [
      { openingKey: new Uint8Array(32).fill(2) },
      { openingKey: new Uint8Array(31).fill(1) },
      { content: utf8('{"body":"disk fine"}') },
      { sender: 'acme-incidents2' },
      { conversation: 'con_BAAAAAAAAAAAAAAAAAAAAA' },
      { message: '' },
      { commitment: `${commitment}=` },
      { commitment: 'A'.repeat(43) },
      { commitment: '' },
    ]) {
      expect(verifyCommitment({ ...COMMITTED, commitment, ...change })).toBe(false);
    }
  });

  test('differs when a letter moves from one field to the next', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, unit: 'grapheme-ascii' }),
        fc.string({ unit: 'grapheme-ascii' }),
        (sender, conversation) => {
          const moved = { ...COMMITTED, sender: sender.slice(0, -1), conversation: sender.slice(-1) + conversation };
          expect(commitmentOf(moved)).not.toBe(commitmentOf({ ...COMMITTED, sender, conversation }));
        },
      ),
    );
  });

  test('is not made with a short opening key', () => {
    expect(() => commitmentOf({ ...COMMITTED, openingKey: new Uint8Array(16) })).toThrow(TypeError);
  });
});

describe('authenticated data', () => {
  const data = { message: messageIdSchema.parse(COMMITTED.message), commitment: commitmentOf(COMMITTED) };

  test('round-trips', () => {
    expect(decodeAuthenticatedData(encodeAuthenticatedData(data))).toEqual(data);
    expect(fromBase64url(toBase64url(encodeAuthenticatedData(data)))).toEqual(encodeAuthenticatedData(data));
  });

  test('of another spelling, with more or fewer members, or of any bytes reads as nothing', () => {
    const { message, commitment } = data;
    for (const text of [
      JSON.stringify({ message, commitment }),
      JSON.stringify({ commitment, extra: 1, message }),
      JSON.stringify({ commitment }),
      JSON.stringify({ commitment: 'A', message }),
      `${JSON.stringify({ commitment, message })} `,
      'null',
    ]) {
      expect(decodeAuthenticatedData(utf8(text)), text).toBeUndefined();
    }
    fc.assert(
      fc.property(fc.uint8Array(), (noise) => {
        expect(decodeAuthenticatedData(noise)).toBeUndefined();
      }),
    );
  });
});
