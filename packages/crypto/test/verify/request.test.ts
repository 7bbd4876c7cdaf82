import { fromBase64url, toBase64url, utf8 } from '@sealpost/protocol';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Signer, signerFromJwk, signRequest, signSyncHello } from '../../src/signer/index.ts';
import { bytesItem, parseBytesItem } from '../../src/verify/content-digest.ts';
import { claimedKeyId, type SignedRequest, verifyRequest, verifySyncHello } from '../../src/verify/index.ts';
import { signatureBase } from '../../src/verify/signature-base.ts';
import { deviceNamed, NOW, signerOf } from './people.ts';

const NONCE = 'n'.repeat(22);
const BODY = utf8('{"receipts":["x"]}');
const TIMES = { now: NOW, maxAge: 60_000 };
let alice: Signer;
let bob: Signer;
beforeAll(async () => {
  alice = await signerOf('ES256');
  bob = await signerOf('EdDSA');
});

const post = { method: 'POST', url: '/v1/receipts?from=inbox', body: BODY };
async function signed(
  request: typeof post | Omit<typeof post, 'body'> = post,
  signer = alice,
  created = NOW,
): Promise<SignedRequest> {
  const added = await signRequest({ ...request, url: `https://gateway.acme.example${request.url}` }, signer, {
    created,
    nonce: NONCE,
  });
  return { ...request, headers: { host: 'gateway.acme.example', ...added } };
}
const withHeader = (request: SignedRequest, name: string, change: (value: string) => string): SignedRequest => ({
  ...request,
  headers: { ...request.headers, [name]: change(String(request.headers[name])) },
});

describe('a signed request', () => {
  test('verifies with either algorithm, with and without a body, and names key and nonce', async () => {
    for (const signer of [alice, bob]) {
      for (const request of [post, { method: 'GET', url: '/' }]) {
        const verdict = await verifyRequest(await signed(request, signer), signer.publicJwk, TIMES);
        expect(verdict).toEqual({ kind: 'ok', keyId: signer.keyId, nonce: NONCE, created: NOW });
      }
    }
  });

  test('names its key before it is verified, so that the key can be looked up', async () => {
    expect(claimedKeyId(await signed())).toBe(alice.keyId);
    expect(claimedKeyId({ method: 'GET', url: '/', headers: {} })).toBeUndefined();
  });

  test('is refused with another method, path, query or body', async () => {
    const request = await signed();
    const refuse = async (change: Partial<SignedRequest>) =>
      verifyRequest({ ...request, ...change }, alice.publicJwk, TIMES);
    for (const change of [
      { method: 'PUT' },
      { url: '/v1/receiptz?from=inbox' },
      { url: '/v1/receipts' },
      { url: '//x/v1/receipts?from=inbox' },
    ]) {
      expect(await refuse(change)).toEqual({ kind: 'refused', code: 'signature' });
    }
    expect(await refuse({ body: utf8('{}') })).toEqual({ kind: 'refused', code: 'digest' });
    expect(await refuse({ body: new Uint8Array(0) })).toEqual({ kind: 'refused', code: 'digest' });
  });

  test('with a body that the signature does not cover is refused', async () => {
    const bare = await signed({ method: 'POST', url: '/v1/receipts' });
    expect(await verifyRequest({ ...bare, body: BODY }, alice.publicJwk, TIMES)).toEqual({
      kind: 'refused',
      code: 'components',
    });
  });

  test('is refused without signature, with another key and when made too early or too late', async () => {
    const request = await signed();
    expect(await verifyRequest({ ...request, headers: {} }, alice.publicJwk, TIMES)).toEqual({
      kind: 'refused',
      code: 'missing',
    });
    expect(await verifyRequest(request, bob.publicJwk, TIMES)).toEqual({ kind: 'refused', code: 'key' });
    for (const created of [NOW - 61_000, NOW + 62_000]) {
      expect(await verifyRequest(await signed(post, alice, created), alice.publicJwk, TIMES)).toEqual({
        kind: 'refused',
        code: 'stale',
      });
    }
  });

  test('is refused when its parameters are changed, repeated, left out or of another purpose', async () => {
    const request = await signed();
    const verdict = (change: (value: string) => string) =>
      verifyRequest(withHeader(request, 'signature-input', change), alice.publicJwk, TIMES);
    expect(await verdict((v) => v.replace(NONCE, `m${NONCE.slice(1)}`))).toMatchObject({ code: 'signature' });
    expect(await verdict((v) => v.replace('sealpost-device', 'other'))).toMatchObject({ code: 'tag' });
    expect(await verdict((v) => v.replace('ecdsa-p256-sha256', 'ed25519'))).toMatchObject({ code: 'algorithm' });
    expect(await verdict((v) => v.replace('"@query" ', ''))).toMatchObject({ code: 'components' });
    expect(await verdict((v) => v.replace(/;tag=.*$/, ''))).toMatchObject({ code: 'malformed' });
    expect(await verdict((v) => `${v};tag="sealpost-device"`)).toMatchObject({ code: 'malformed' });
    expect(await verdict((v) => `other=("@method");created=1, ${v}`)).toMatchObject({ code: 'malformed' });
  });

  test('is refused when its signature has a second spelling', async () => {
    const request = await signed();
    for (const change of [
      (v: string) => v.replace('==:', '=:'),
      (v: string) => v.replace('==:', ':'),
      (v: string) => `${v} `.repeat(2),
    ]) {
      expect((await verifyRequest(withHeader(request, 'signature', change), alice.publicJwk, TIMES)).kind).toBe(
        'refused',
      );
    }
  });

  test('is refused after any bit of its body, signature or parameters is flipped', async () => {
    const request = await signed();
    const flipText = (text: string, bit: number) => {
      const at = (bit >> 3) % text.length;
      return text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ (1 << (bit & 7))) + text.slice(at + 1);
    };
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('signature', 'signature-input', 'content-digest', 'body'),
        fc.nat(),
        async (part, bit) => {
          const changed =
            part === 'body'
              ? { ...request, body: BODY.map((o, at) => (at === (bit >> 3) % BODY.length ? o ^ (1 << (bit & 7)) : o)) }
              : withHeader(request, part, (text) => flipText(text, bit));
          expect((await verifyRequest(changed, alice.publicJwk, TIMES)).kind).toBe('refused');
        },
      ),
      { numRuns: 300 },
    );
  });

  test('with headers of any text is refused without an exception', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.string(), async (input, signature) => {
        const headers = { 'signature-input': `sealpost=${input}`, signature: `sealpost=${signature}` };
        expect((await verifyRequest({ method: 'GET', url: '/', headers }, alice.publicJwk, TIMES)).kind).toBe(
          'refused',
        );
      }),
    );
  });
});

test('the signature base and signature are those of RFC 9421 appendix B.2.6', async () => {
  const key = {
    crv: 'Ed25519',
    kty: 'OKP',
    x: 'JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs',
    d: 'n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU',
  } as const;
  const headers = { date: 'Tue, 20 Apr 2021 02:07:55 GMT', 'content-type': 'application/json', 'content-length': '18' };
  const components = ['date', '@method', '@path', '@authority', 'content-type', 'content-length'];
  const parameters = `(${components.map((name) => `"${name}"`).join(' ')});created=1618884473;keyid="test-key-ed25519"`;
  const request = { method: 'POST', url: 'https://example.com/foo?param=Value&Pet=dog', headers };
  const base = signatureBase(request, components, parameters) ?? '';
  const signer = await signerFromJwk(key);
  expect(bytesItem(await signer.sign(utf8(base)))).toBe(
    ':wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:',
  );
});

test('byte sequences have one spelling', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(parseBytesItem(bytesItem(bytes))).toEqual(bytes);
    }),
  );
  expect(parseBytesItem(':AB==:')).toBeUndefined();
  expect(parseBytesItem(':AA=:')).toBeUndefined();
});

describe('a sync hello', () => {
  const nonce = toBase64url(new Uint8Array(32).fill(7));
  const device = deviceNamed('A');

  test('verifies for its nonce, device and key, and for no other', async () => {
    const signature = await signSyncHello({ nonce, device }, alice);
    expect(await verifySyncHello({ nonce, device, signature }, alice.publicJwk)).toBe(true);
    expect(await verifySyncHello({ nonce, device: deviceNamed('B'), signature }, alice.publicJwk)).toBe(false);
    expect(await verifySyncHello({ nonce: 'A'.repeat(43), device, signature }, alice.publicJwk)).toBe(false);
    expect(await verifySyncHello({ nonce, device, signature }, bob.publicJwk)).toBe(false);
    expect(await verifySyncHello({ nonce, device, signature: `${signature}=` }, alice.publicJwk)).toBe(false);
    expect(fromBase64url(signature)).toHaveLength(64);
  });

  test('is not signed over a challenge of another shape', async () => {
    await expect(signSyncHello({ nonce: 'short', device }, alice)).rejects.toThrow(TypeError);
  });
});
