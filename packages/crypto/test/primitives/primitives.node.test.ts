/** Both platforms against the same recorded vectors, and each against the other. */
import { toBase64url, toHex, utf8 } from '@sealpost/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hkdfExpand, hkdfExtract } from '../../src/primitives/hkdf.ts';
import type { Hpke } from '../../src/primitives/hpke.ts';
import { jwkOfPoint } from '../../src/primitives/jwk.ts';
import { leastRecent } from '../../src/primitives/least-recent.ts';
import type { Primitives, PrivateJwk } from '../../src/primitives/port.ts';
import * as node from '../../src/primitives/primitives.node.ts';
import * as web from '../../src/primitives/primitives.web.ts';

type Platform = Primitives & Hpke;
const PLATFORMS: readonly (readonly [string, Platform, Platform])[] = [
  ['node', node, web],
  ['web', web, node],
];

const bytes = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
const flip = (whole: Uint8Array, bit: number) =>
  whole.map((octet, at) => (at === (bit >> 3) % whole.length ? octet ^ (1 << (bit & 7)) : octet));
const privateJwk = (secret: string, point: string): PrivateJwk => {
  const jwk = jwkOfPoint(bytes(point));
  if (jwk === undefined) throw new TypeError('the vector is wrong');
  return { ...jwk, d: toBase64url(bytes(secret)) };
};

/** RFC 9180 appendix A.3.1, sequence number 0. */
const A3 = {
  skE: '4995788ef4b9d6132b249ce59a77281493eb39af373d236a1fe415cb0c2d7beb',
  pkE: '04a92719c6195d5085104f469a8b9814d5838ff72b60501e2c4466e5e67b325ac98536d7b61a1af4b78e5b7f951c0900be863c403ce65c9bfcb9382657222d18c4',
  skR: 'f3ce7fdae57e1a310d87f1ebbde6f328be0a99cdbcadf4d6589cf29de4b8ffd2',
  pkR: '04fe8c19ce0905191ebc298a9245792531f26f0cece2460639e8bc39cb7f706a826a779b4cf969b8a0e539c7f62fb3d30ad6aa8f80e30f1d128aafd68a2ce72ea0',
  info: '4f6465206f6e2061204772656369616e2055726e',
  aad: '436f756e742d30',
  plaintext: '4265617574792069732074727574682c20747275746820626561757479',
  ciphertext: '5ad590bb8baa577f8619db35a36311226a896e7342a6d836d8b7bcd2f20b6c7f9076ac232e3ab2523f39513434',
};

describe.each(PLATFORMS)('primitives on %s', (_, platform, other) => {
  test('SHA-256 gives the digest of "abc" in FIPS 180-4', () => {
    expect(toHex(platform.sha256(utf8('abc')))).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });

  test('HMAC-SHA-256 gives test case 2 of RFC 4231', () => {
    expect(toHex(platform.hmacSha256(utf8('Jefe'), utf8('what do ya want for nothing?')))).toBe(
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    );
  });

  test('HKDF gives test cases 1 and 3 of RFC 5869', () => {
    const secret = new Uint8Array(22).fill(0x0b);
    const first = hkdfExtract(platform.hmacSha256, bytes('000102030405060708090a0b0c'), secret);
    expect(toHex(hkdfExpand(platform.hmacSha256, first, bytes('f0f1f2f3f4f5f6f7f8f9'), 42))).toBe(
      '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
    );
    const third = hkdfExtract(platform.hmacSha256, new Uint8Array(0), secret);
    expect(toHex(hkdfExpand(platform.hmacSha256, third, new Uint8Array(0), 42))).toBe(
      '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
    );
  });

  test('AES-128-GCM gives test case 4 of the GCM specification', async () => {
    const input = {
      key: bytes('feffe9928665731c6d6a8f9467308308'),
      nonce: bytes('cafebabefacedbaddecaf888'),
      additionalData: bytes('feedfacedeadbeeffeedfacedeadbeefabaddad2'),
    };
    const plaintext = bytes(
      'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
    );
    const sealed = await platform.sealAesGcm({ ...input, plaintext });
    expect(toHex(sealed)).toBe(
      '42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091' +
        '5bc94fbc3221a5db94fae95ae7121a47',
    );
    expect(await other.openAesGcm({ ...input, ciphertext: sealed })).toEqual(plaintext);
    expect(await platform.openAesGcm({ ...input, ciphertext: sealed.subarray(0, 15) })).toBeUndefined();
  });

  test('HPKE gives the ciphertext of RFC 9180 appendix A.3.1 from its ephemeral key', async () => {
    const unsafeEphemeral = await platform.importAgreementKey(privateJwk(A3.skE, A3.pkE));
    const { encapsulated, ciphertext } = await platform.sealHpke({
      publicKey: bytes(A3.pkR),
      info: bytes(A3.info),
      additionalData: bytes(A3.aad),
      plaintext: bytes(A3.plaintext),
      unsafeEphemeral,
    });
    expect(toHex(encapsulated)).toBe(A3.pkE);
    expect(toHex(ciphertext)).toBe(A3.ciphertext);
  });

  test('HPKE opens the ciphertext of RFC 9180 appendix A.3.1', async () => {
    const opened = await platform.openHpke({
      key: await platform.importAgreementKey(privateJwk(A3.skR, A3.pkR)),
      encapsulated: bytes(A3.pkE),
      info: bytes(A3.info),
      additionalData: bytes(A3.aad),
      ciphertext: bytes(A3.ciphertext),
    });
    expect(opened).toEqual(bytes(A3.plaintext));
  });

  test('HPKE opens what the other platform sealed, and nothing of it after any bit is flipped', async () => {
    const key = await platform.importAgreementKey(privateJwk(A3.skR, A3.pkR));
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.uint8Array(), fc.nat(), async (plaintext, aad, bit) => {
        const info = utf8('test');
        const sealed = await other.sealHpke({ publicKey: key.publicKey, info, additionalData: aad, plaintext });
        const open = (change: Partial<typeof sealed>) =>
          platform.openHpke({ key, info, additionalData: aad, ...sealed, ...change });
        expect(await open({})).toEqual(plaintext);
        expect(await open({ ciphertext: flip(sealed.ciphertext, bit) })).toBeUndefined();
        expect(await open({ encapsulated: flip(sealed.encapsulated, bit) })).toBeUndefined();
        expect(
          await platform.openHpke({ key, info, additionalData: Uint8Array.of(...aad, 0), ...sealed }),
        ).toBeUndefined();
      }),
      { numRuns: 30 },
    );
  });

  test('an agreement answers nothing for a point off the curve, compressed or of another length', async () => {
    const key = await platform.generateAgreementKey();
    const point = bytes(A3.pkR);
    expect(await key.agree(point)).toHaveLength(32);
    expect(await key.agree(flip(point, 8 * 64))).toBeUndefined();
    expect(await key.agree(Uint8Array.of(2, ...point.subarray(1, 33)))).toBeUndefined();
    expect(await key.agree(Uint8Array.of(6, ...point.subarray(1)))).toBeUndefined();
    expect(await key.agree(new Uint8Array(65))).toBeUndefined();
  });

  test('a private JWK whose public half is another key is refused', async () => {
    await expect(platform.importAgreementKey(privateJwk(A3.skE, A3.pkR))).rejects.toThrow(TypeError);
  });

  test.each(['EdDSA', 'ES256'] as const)(
    '%s signatures verify on the other platform and not after a bit is flipped',
    async (algorithm) => {
      const jwk = await platform.generatePrivateJwk(algorithm);
      const sign = await platform.importSigningKey(jwk);
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ minLength: 1 }), fc.nat(), async (message, bit) => {
          const signature = await sign(message);
          expect(await other.verifySignature(jwk, message, signature)).toBe(true);
          expect(await platform.verifySignature(jwk, flip(message, bit), signature)).toBe(false);
          expect(await platform.verifySignature(jwk, message, flip(signature, bit))).toBe(false);
          expect(await platform.verifySignature(jwk, message, signature.subarray(1))).toBe(false);
        }),
        { numRuns: 30 },
      );
    },
  );

  test('Ed25519 verifies test 2 of RFC 8032 section 7.1', async () => {
    const jwk = {
      crv: 'Ed25519',
      kty: 'OKP',
      x: toBase64url(bytes('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c')),
    } as const;
    const signature = bytes(
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    );
    expect(await platform.verifySignature(jwk, Uint8Array.of(0x72), signature)).toBe(true);
  });

  test('a key in another spelling, off the curve or of another kind verifies nothing', async () => {
    const jwk = await platform.generatePrivateJwk('ES256');
    const signature = await (await platform.importSigningKey(jwk))(utf8('m'));
    if (jwk.crv !== 'P-256') throw new TypeError('P-256 expected');
    const last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const stray = jwk.x.slice(0, -1) + last.charAt(last.indexOf(jwk.x.slice(-1)) + 1);
    for (const wrong of [
      { ...jwk, x: `${jwk.x}=` },
      { ...jwk, x: stray },
      { ...jwk, y: jwk.x },
      { ...jwk, x: '' },
    ]) {
      expect(await platform.verifySignature(wrong, utf8('m'), signature)).toBe(false);
    }
  });

  test('random bytes are of the length asked for and of their own memory', () => {
    const random = platform.randomBytes(32);
    expect([random.length, random.buffer.byteLength]).toEqual([32, 32]);
    expect(random).not.toEqual(platform.randomBytes(32));
  });
});

test('hashes of both platforms agree on every input', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array({ maxLength: 100 }), (message, key) => {
      expect(node.sha256(message)).toEqual(web.sha256(message));
      expect(node.hmacSha256(key, message)).toEqual(web.hmacSha256(key, message));
    }),
  );
});

test('a cache forgets what was used least recently', () => {
  const cache = leastRecent<number>(2);
  cache.set('a', 1);
  cache.set('b', 2);
  cache.get('a');
  cache.set('c', 3);
  expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual([1, undefined, 3]);
});
