/** The forms of a P-256 signature and the key in a certificate: one spelling each, everything else refused. */
import { concatBytes } from '@sealpost/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { signatureKey } from '../../src/mls/create-suite.ts';
import { certificateKey, signatureFromDer, signatureToDer } from '../../src/mls/der.ts';
import { certificateOf, newKeys } from './people.ts';
import { hex } from './provider-contract.ts';

/** Numbers with leading zeros and with the top bit set are where encoders go wrong. */
const edge = fc
  .tuple(fc.nat({ max: 31 }), fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.boolean())
  .map(([zeros, bytes, isHigh]) => bytes.map((byte, at) => edgeByte(at, zeros, byte, isHigh)));

function edgeByte(at: number, zeros: number, byte: number, isHigh: boolean): number {
  if (at < zeros) return 0;
  return at === zeros ? Math.max(isHigh ? byte | 0x80 : byte, 1) : byte;
}

describe('a P-256 signature', () => {
  test('survives DER and back', () => {
    fc.assert(
      fc.property(edge, edge, (r, s) => {
        const rs = concatBytes(r, s);
        expect(signatureFromDer(signatureToDer(rs))).toEqual(rs);
      }),
    );
  });

  test('has exactly one DER form', () => {
    fc.assert(
      fc.property(edge, edge, fc.nat(), fc.nat({ max: 255 }), (r, s, place, byte) => {
        const der = signatureToDer(concatBytes(r, s));
        const altered = der.with(place % der.length, byte);
        const read = signatureFromDer(altered);
        if (read !== undefined) expect(signatureToDer(read)).toEqual(altered);
      }),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const read = signatureFromDer(bytes);
        if (read !== undefined) expect(signatureToDer(read)).toEqual(bytes);
      }),
    );
  });

  test.each([
    ['empty', ''],
    ['an empty sequence', '3000'],
    ['one number only', '3003020101'],
    ['three numbers', '3009020101020101020101'],
    ['a negative number', '3006020180020101'],
    ['a number with a needless zero', '300702020001020101'],
    ['an empty number', '30050200020101'],
    ['zero', '3006020100020101'],
    ['a length in long form', '308106020101020101'],
    ['an indefinite length', '30800201010201010000'],
    ['bytes after the end', '300602010102010100'],
    ['a length past the end', '3007020101020101'],
    ['a number above 2^256', `302602220100${'00'.repeat(32)}`.padEnd(80, '0')],
    ['another tag', '3106020101020101'],
  ])('is not %s', (_what, text) => {
    expect(signatureFromDer(hex(text))).toBeUndefined();
  });

  test('of another length is not encoded', () => {
    expect(() => signatureToDer(new Uint8Array(63))).toThrow(TypeError);
  });
});

describe('a certificate', () => {
  test('gives up the key it certifies', async () => {
    const { spki, signer } = await newKeys();
    expect(certificateKey(certificateOf(1, spki))).toEqual(signatureKey(signer.publicJwk));
  });

  test('cut off, extended or of another curve gives none', async () => {
    const { spki } = await newKeys();
    const certificate = certificateOf(1, spki);
    fc.assert(
      fc.property(fc.nat({ max: certificate.length - 1 }), (length) => {
        expect(certificateKey(certificate.subarray(0, length))).toBeUndefined();
      }),
    );
    expect(certificateKey(concatBytes(certificate, Uint8Array.of(0)))).toBeUndefined();
    const p384 = await globalThis.crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-384' }, true, ['sign']);
    const other = new Uint8Array(await globalThis.crypto.subtle.exportKey('spki', p384.publicKey));
    expect(certificateKey(certificateOf(1, other))).toBeUndefined();
  });

  test('never makes the reader throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(certificateKey(bytes)).toBeUndefined();
      }),
    );
  });
});
