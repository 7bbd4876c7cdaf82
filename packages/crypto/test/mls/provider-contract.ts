/**
 * What a provider of MLS primitives must do, whatever it stands on (RFC 9420 section 5.1, RFC 9180, RFC 5869). Vectors:
 * RFC 9180 appendices A.1.1 and A.3.1, first encryption; RFC 5869 appendix A.1.
 */
import { concatBytes, toHex, utf8 } from '@sealpost/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { signatureKey, signingAs, signingHandle } from '../../src/mls/create-suite.ts';
import type { MlsCrypto, MlsSuite, RandomBytes } from '../../src/mls/suite.ts';
import { newKeys } from './people.ts';

export type CreateProvider = (suite: MlsSuite, random?: RandomBytes) => MlsCrypto;

const VECTORS = {
  1: {
    section: 'A.1.1',
    ikmE: '7268600d403fce431561aef583ee1613527cff655c1343f29812e66706df3234',
    enc: '37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431',
    ikmR: '6db9df30aa07dd42ee5e8181afdb977e538f5e1fec8a06223f33f7013e525037',
    skR: '4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8',
    pkR: '3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d',
    ct: 'f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a',
  },
  2: {
    section: 'A.3.1',
    ikmE: '4270e54ffd08d79d5928020af4686d8f6b7d35dbe470265f1f5aa22816ce860e',
    enc: '04a92719c6195d5085104f469a8b9814d5838ff72b60501e2c4466e5e67b325ac98536d7b61a1af4b78e5b7f951c0900be863c403ce65c9bfcb9382657222d18c4',
    ikmR: '668b37171f1072f3cf12ea8a236a45df23fc13b82af3609ad1e354f6ef817550',
    skR: 'f3ce7fdae57e1a310d87f1ebbde6f328be0a99cdbcadf4d6589cf29de4b8ffd2',
    pkR: '04fe8c19ce0905191ebc298a9245792531f26f0cece2460639e8bc39cb7f706a826a779b4cf969b8a0e539c7f62fb3d30ad6aa8f80e30f1d128aafd68a2ce72ea0',
    ct: '5ad590bb8baa577f8619db35a36311226a896e7342a6d836d8b7bcd2f20b6c7f9076ac232e3ab2523f39513434',
  },
} as const;
const INFO = hex('4f6465206f6e2061204772656369616e2055726e');
const AAD = hex('436f756e742d30');
const PLAINTEXT = hex('4265617574792069732074727574682c20747275746820626561757479');

export function providerContract(create: CreateProvider): void {
  for (const suite of [1, 2] as const) {
    const vector = VECTORS[suite];
    describe(`suite ${suite}`, () => {
      test(`derives and exports the keys of RFC 9180 ${vector.section}`, async () => {
        const { hpke } = create(suite);
        const pair = await hpke.deriveKeyPair(hex(vector.ikmR));
        expect(toHex(await hpke.exportPrivateKey(pair.privateKey))).toBe(vector.skR);
        expect(toHex(await hpke.exportPublicKey(pair.publicKey))).toBe(vector.pkR);
      });

      test(`seals to the bytes of RFC 9180 ${vector.section} and opens them`, async () => {
        const { hpke } = create(suite, () => hex(vector.ikmE));
        const sealed = await hpke.seal(await hpke.importPublicKey(hex(vector.pkR)), PLAINTEXT, INFO, AAD);
        expect(toHex(sealed.enc)).toBe(vector.enc);
        expect(toHex(sealed.ct)).toBe(vector.ct);
        const key = await hpke.importPrivateKey(hex(vector.skR));
        expect(await hpke.open(key, sealed.enc, sealed.ct, INFO, AAD)).toEqual(PLAINTEXT);
      });

      test('opens nothing under another key, info, associated data or with a changed bit', async () => {
        const { hpke } = create(suite);
        const [own, other] = [await hpke.generateKeyPair(), await hpke.generateKeyPair()];
        const { enc, ct } = await hpke.seal(own.publicKey, PLAINTEXT, INFO, AAD);
        await expect(hpke.open(other.privateKey, enc, ct, INFO, AAD)).rejects.toThrow();
        await expect(hpke.open(own.privateKey, enc, ct, AAD, AAD)).rejects.toThrow();
        await expect(hpke.open(own.privateKey, enc, ct, INFO, INFO)).rejects.toThrow();
        await expect(hpke.open(own.privateKey, enc, ct.with(0, (ct[0] ?? 0) ^ 1), INFO, AAD)).rejects.toThrow();
        await expect(hpke.open(own.privateKey, enc, ct.subarray(0, 15), INFO, AAD)).rejects.toThrow();
      });

      test('refuses public keys that are no point of the curve', async () => {
        const { hpke } = create(suite);
        await expect(hpke.importPublicKey(new Uint8Array(33))).rejects.toThrow();
        const bad = new Uint8Array(suite === 1 ? 32 : 65);
        if (suite === 2) bad.set([4, 1]);
        const key = await hpke.importPublicKey(bad);
        await expect(hpke.seal(key, PLAINTEXT, INFO)).rejects.toThrow();
      });

      test('exports the same secret at both ends', async () => {
        const { hpke } = create(suite);
        const pair = await hpke.generateKeyPair();
        const { enc, secret } = await hpke.exportSecret(pair.publicKey, AAD, 40, INFO);
        expect(await hpke.importSecret(pair.privateKey, AAD, enc, 40, INFO)).toEqual(secret);
        expect(secret).toHaveLength(40);
      });
    });
  }

  test('HKDF gives what RFC 5869 appendix A.1 records', async () => {
    const { kdf } = create(2);
    const prk = await kdf.extract(hex('000102030405060708090a0b0c'), new Uint8Array(22).fill(0x0b));
    expect(toHex(prk)).toBe('077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5');
    expect(toHex(await kdf.expand(prk, hex('f0f1f2f3f4f5f6f7f8f9'), 42))).toBe(
      '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
    );
  });

  test('HMAC gives what RFC 4231 sections 4.2 and 4.7 record, for a short and for a long key', async () => {
    const { hash } = create(2);
    const short = await hash.mac(new Uint8Array(20).fill(0x0b), utf8('Hi There'));
    expect(toHex(short)).toBe('b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7');
    const text = utf8('Test Using Larger Than Block-Size Key - Hash Key First');
    const long = await hash.mac(new Uint8Array(131).fill(0xaa), text);
    expect(toHex(long)).toBe('60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54');
  });

  test('a signature is made by the signer the operation was given and verified as DER', async () => {
    const keys = await newKeys();
    const crypto = signingAs(create(2), keys.signer);
    const publicKey = signatureKey(keys.signer.publicJwk);
    const message = utf8('FramedContentTBS');
    const signature = await crypto.signature.sign(signingHandle(keys.signer), message);
    expect(signature[0]).toBe(0x30);
    expect(await crypto.signature.verify(publicKey, message, signature)).toBe(true);
    expect(await crypto.signature.verify(publicKey, utf8('other'), signature)).toBe(false);
    expect(await crypto.signature.verify(publicKey.with(10, (publicKey[10] ?? 0) ^ 1), message, signature)).toBe(false);
    expect(await crypto.signature.verify(publicKey, message, await keys.signer.sign(message))).toBe(false);
    expect(await crypto.signature.verify(publicKey, message, concatBytes(signature, Uint8Array.of(0)))).toBe(false);
  });

  test('a signing handle of somebody else signs nothing', async () => {
    const [own, other] = [await newKeys(), await newKeys()];
    const { signature } = signingAs(create(2), own.signer);
    const signing = signature.sign(signingHandle(other.signer), utf8('x'));
    await expect(signing).rejects.toMatchObject({ code: 'ERR_MLS_IDENTITY' });
    await expect(create(2).signature.sign(signingHandle(own.signer), utf8('x'))).rejects.toThrow('no signer');
  });

  test('a message authentication code is compared whole', async () => {
    const { hash } = create(2);
    const [key, data] = [new Uint8Array(32).fill(7), utf8('data')];
    const mac = await hash.mac(key, data);
    expect(await hash.verifyMac(key, mac, data)).toBe(true);
    expect(await hash.verifyMac(key, mac.subarray(0, 31), data)).toBe(false);
    expect(await hash.verifyMac(key, mac.with(31, (mac[31] ?? 0) ^ 1), data)).toBe(false);
  });
}

/** Two providers that give the same answer to everything deterministic, and open what the other sealed. */
export function twinProviders(left: CreateProvider, right: CreateProvider): void {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

  test('both hash, authenticate, expand and encrypt alike', async () => {
    const [a, b] = [left(2), right(2)];
    await fc.assert(
      fc.asyncProperty(bytes(16), bytes(12), bytes(32), fc.uint8Array(), async (key, nonce, prk, data) => {
        expect(await a.hash.digest(data)).toEqual(await b.hash.digest(data));
        expect(await a.hash.mac(prk, data)).toEqual(await b.hash.mac(prk, data));
        expect(await a.kdf.extract(prk, data)).toEqual(await b.kdf.extract(prk, data));
        expect(await a.kdf.expand(prk, data, 80)).toEqual(await b.kdf.expand(prk, data, 80));
        const sealed = await a.hpke.encryptAead(key, nonce, data, prk);
        expect(sealed).toEqual(await b.hpke.encryptAead(key, nonce, data, prk));
        expect(await b.hpke.decryptAead(key, nonce, data, sealed)).toEqual(prk);
      }),
      { numRuns: 30 },
    );
  });

  for (const suite of [1, 2] as const) {
    test(`both derive the same keys and open what the other sealed in suite ${suite}`, async () => {
      await fc.assert(
        fc.asyncProperty(bytes(32), bytes(32), fc.uint8Array(), async (ikm, ephemeral, data) => {
          const [a, b] = [left(suite, () => ephemeral).hpke, right(suite, () => ephemeral).hpke];
          const [keysA, keysB] = [await a.deriveKeyPair(ikm), await b.deriveKeyPair(ikm)];
          expect(await a.exportPublicKey(keysA.publicKey)).toEqual(await b.exportPublicKey(keysB.publicKey));
          const sealed = await a.seal(keysA.publicKey, data, ikm, data);
          expect(sealed).toEqual(await b.seal(keysB.publicKey, data, ikm, data));
          expect(await b.open(keysB.privateKey, sealed.enc, sealed.ct, ikm, data)).toEqual(data);
        }),
        { numRuns: 20 },
      );
    });
  }
}

export function hex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
