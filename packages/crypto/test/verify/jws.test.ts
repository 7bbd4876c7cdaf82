import { canonicalBytes, toBase64url, utf8 } from '@sealpost/protocol';
import fc from 'fast-check';
import { CompactSign, compactVerify } from 'jose';
import { beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import {
  createSigningKey,
  keyIdOf,
  type PrivateJwk,
  type Signer,
  signerFromCryptoKey,
  signJws,
} from '../../src/signer/index.ts';
import { verifyJws } from '../../src/verify/index.ts';

const schema = z.strictObject({ v: z.literal(1), name: z.string() });
const TYP = 'test+jwt';
const PAYLOAD = { v: 1, name: 'Zoë' };
let ed: Signer;
let edPrivate: PrivateJwk;
let ec: Signer;
beforeAll(async () => {
  ({ signer: ed, privateJwk: edPrivate } = await createSigningKey('EdDSA'));
  ({ signer: ec } = await createSigningKey('ES256'));
});
const verify = (jws: string, signer: Signer = ed, typ = TYP) => verifyJws(jws, { typ, key: signer.publicJwk, schema });
const byJose = async (header: Record<string, unknown>, payload: Uint8Array) =>
  new CompactSign(payload)
    .setProtectedHeader({ alg: 'EdDSA', typ: TYP, kid: ed.keyId, ...header })
    .sign({ ...edPrivate }, { crit: { x: true } });

test('a key id is the thumbprint of RFC 7638, as the Ed25519 example of RFC 8037 appendix A.3 has it', async () => {
  const jwk = { crv: 'Ed25519', kty: 'OKP', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' } as const;
  expect(await keyIdOf(jwk)).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
});

test('a statement signed with Ed25519 or P-256 verifies, and gives payload, key id and header', async () => {
  for (const signer of [ed, ec]) {
    const jws = await signJws(TYP, PAYLOAD, signer, { note: 'x' });
    const header = { alg: signer.algorithm, kid: signer.keyId, note: 'x', typ: TYP };
    expect(await verify(jws, signer)).toEqual({ kind: 'ok', payload: PAYLOAD, keyId: signer.keyId, header });
    expect((await compactVerify(jws, { ...signer.publicJwk })).payload).toEqual(
      new Uint8Array(canonicalBytes(PAYLOAD)),
    );
  }
});

test('a key is looked up by the id the statement names, and one that is not known is refused', async () => {
  const jws = await signJws(TYP, PAYLOAD, ed);
  const keys = (id: string) => (id === ed.keyId ? ed.publicJwk : undefined);
  expect(await verifyJws(jws, { typ: TYP, keys, schema })).toMatchObject({ kind: 'ok', keyId: ed.keyId });
  expect(await verifyJws(jws, { typ: TYP, keys: () => undefined, schema })).toMatchObject({ reason: 'unknown-key' });
  expect(await verify(jws, ec)).toMatchObject({ reason: 'unknown-key' });
});

test('a non-extractable WebCrypto key signs through the port', async () => {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify']);
  const { x = '', y = '' } = await crypto.subtle.exportKey('jwk', pair.publicKey);
  const signer = await signerFromCryptoKey(pair.privateKey, { crv: 'P-256', kty: 'EC', x, y });
  expect((await verify(await signJws(TYP, PAYLOAD, signer), signer)).kind).toBe('ok');
});

test('a statement of another type is refused', async () => {
  expect(await verify(await signJws('other+jwt', PAYLOAD, ed))).toEqual({ kind: 'refused', reason: 'typ' });
});

test('an algorithm the key does not have is refused, `none` included', async () => {
  const payload = toBase64url(canonicalBytes(PAYLOAD));
  for (const alg of ['ES256', 'none', 'HS256']) {
    const header = toBase64url(canonicalBytes({ alg, kid: ed.keyId, typ: TYP }));
    expect(await verify(`${header}.${payload}.${alg === 'none' ? '' : 'A'.repeat(86)}`)).toMatchObject({
      reason: 'algorithm',
    });
  }
});

test('critical header parameters and keys inside the header are refused', async () => {
  const payload = canonicalBytes(PAYLOAD);
  expect(await verify(await byJose({ crit: ['x'], x: 1 }, payload))).not.toMatchObject({ kind: 'ok' });
  const header = { alg: 'EdDSA', kid: ed.keyId, typ: TYP };
  for (const extra of [{ crit: ['x'] }, { jwk: {} }, { jku: 'https://x' }, { x5c: [] }, { b64: false }]) {
    const jws = `${toBase64url(canonicalBytes({ ...header, ...extra }))}.${toBase64url(payload)}.${'A'.repeat(86)}`;
    expect(await verify(jws)).toEqual({ kind: 'refused', reason: 'critical' });
  }
});

test('JSON that is not canonical is refused even when signed, unless the caller takes other makers’ JSON', async () => {
  const jws = await byJose({}, utf8('{"v":1,"v":1,"name":"twice"}'));
  expect(await verify(jws)).toEqual({ kind: 'refused', reason: 'not-canonical' });
  const any = { typ: TYP, key: ed.publicJwk, schema, json: 'any' } as const;
  expect(await verifyJws(await byJose({}, utf8('{"v": 1, "name": "x"}')), any)).toMatchObject({ kind: 'ok' });
});

test('a payload its schema does not allow is refused', async () => {
  expect(await verify(await signJws(TYP, { ...PAYLOAD, extra: 1 }, ed))).toEqual({
    kind: 'refused',
    reason: 'payload',
  });
});

test('a second spelling of any part is refused: padding, stray bits, another alphabet, white space', async () => {
  const jws = await signJws(TYP, PAYLOAD, ed);
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const stray = jws.slice(0, -1) + letters.charAt(letters.indexOf(jws.slice(-1)) + 1);
  for (const other of [`${jws}=`, stray, ` ${jws}`, `${jws}\n`, jws.replace('.', '=.'), `${jws}.`]) {
    expect((await verify(other)).kind).toBe('refused');
  }
});

test('any letter changed anywhere is refused, and text of any kind never throws', async () => {
  const jws = await signJws(TYP, PAYLOAD, ec);
  await fc.assert(
    fc.asyncProperty(
      fc.nat({ max: jws.length - 1 }),
      fc.constantFrom('A', 'b', '9', '-', '.', '='),
      async (at, letter) => {
        fc.pre(jws[at] !== letter);
        expect((await verify(jws.slice(0, at) + letter + jws.slice(at + 1), ec)).kind).toBe('refused');
      },
    ),
    { numRuns: 200 },
  );
  await fc.assert(
    fc.asyncProperty(fc.string(), async (text) => {
      expect((await verify(text)).kind).toBe('refused');
    }),
  );
});

test('header members signJws sets itself cannot be overridden', async () => {
  await expect(signJws(TYP, PAYLOAD, ed, { alg: 'none' })).rejects.toThrow(TypeError);
});
