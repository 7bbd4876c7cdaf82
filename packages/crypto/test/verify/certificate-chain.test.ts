import { agentIdSchema, organisationSchema } from '@sealpost/protocol';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { createCertificateRequest, issueCertificate, type Signer } from '../../src/signer/index.ts';
import {
  agentUri,
  type ChainVerdict,
  caUri,
  memberDeviceUri,
  parseUri,
  serviceUri,
  verifyCertificateChain,
  verifyCertificateRequest,
} from '../../src/verify/index.ts';
import { ACME, ALICE, createOrganisation, DAY, deviceNamed, NOW, serial, signerOf } from './people.ts';

type Order = Parameters<typeof issueCertificate>[0];
let acme: Awaited<ReturnType<typeof createOrganisation>>;
let phone: Signer;
const AGENT = agentIdSchema.parse('acme-incidents');
const DEVICE_URI = memberDeviceUri(ACME, ALICE, deviceNamed('A'));

beforeAll(async () => {
  acme = await createOrganisation();
  phone = await signerOf('ES256');
});

const order = (change: Partial<Order> = {}): Order => ({
  subjectPublicKey: phone.publicJwk,
  uri: DEVICE_URI,
  usage: 'device',
  notBefore: NOW - DAY,
  notAfter: NOW + 30 * DAY,
  serial: serial(),
  issuer: { signer: acme.deviceCa, certificate: acme.deviceCaDer },
  ...change,
});
const context = (change = {}) => ({
  anchor: acme.deviceCaDer,
  root: acme.rootDer,
  now: NOW,
  usage: 'device' as const,
  ...change,
});
const reason = (verdict: ChainVerdict) => (verdict.kind === 'refused' ? verdict.reason : 'ok');
const check = async (change: Partial<Order>, against = {}) =>
  reason(await verifyCertificateChain([await issueCertificate(order(change))], context(against)));

describe('a certificate chain', () => {
  test('verifies for device, agent and service, and names subject, key and end', async () => {
    const subjects = [
      ['device', DEVICE_URI, {}],
      ['agent', agentUri(ACME, AGENT), {}],
      ['service', serviceUri(ACME, 'gateway'), { dns: ['gateway.acme.example'] }],
    ] as const;
    for (const [usage, uri, more] of subjects) {
      const leaf = await issueCertificate(order({ usage, uri, ...more }));
      expect(await verifyCertificateChain([leaf], context({ usage }))).toEqual({
        kind: 'ok',
        uri,
        publicJwk: phone.publicJwk,
        notAfter: NOW + 30 * DAY,
      });
    }
  });

  test('verifies through an intermediate the anchor allows, and not through one it does not', async () => {
    const middle = await signerOf('ES256');
    const site = (issuer: Order['issuer']) =>
      issueCertificate(
        order({ subjectPublicKey: middle.publicJwk, uri: caUri(ACME, 'site'), usage: 'ca', issuer, pathLength: 0 }),
      );
    const under = async (issuer: Order['issuer']) => {
      const ca = await site(issuer);
      return [await issueCertificate(order({ issuer: { signer: middle, certificate: ca } })), ca];
    };
    const wide = await under({ signer: acme.root, certificate: acme.rootDer });
    expect(reason(await verifyCertificateChain(wide, { ...context(), anchor: acme.rootDer, root: acme.rootDer }))).toBe(
      'ok',
    );
    const narrow = await under({ signer: acme.deviceCa, certificate: acme.deviceCaDer });
    expect(reason(await verifyCertificateChain(narrow, context()))).toBe('path-length');
  });

  test('is refused before its time, after it and when too little of it is left', async () => {
    expect(await check({}, { now: NOW - 2 * DAY })).toBe('not-yet-valid');
    expect(await check({}, { now: NOW + 31 * DAY })).toBe('expired');
    expect(await check({}, { minimumLeft: 29 * DAY })).toBe('ok');
    expect(await check({}, { minimumLeft: 31 * DAY })).toBe('expired');
  });

  test('is refused under another CA, also one of the same name', async () => {
    const twin = await createOrganisation();
    expect(await check({ issuer: { signer: acme.serviceCa, certificate: acme.serviceCaDer } })).toBe('issuer');
    expect(await check({ issuer: { signer: twin.deviceCa, certificate: twin.deviceCaDer } })).toBe('issuer');
    expect(await check({}, { root: twin.rootDer })).toBe('issuer');
  });

  test('is refused when its CA’s own key did not sign it', async () => {
    const thief = await signerOf('ES256');
    const issuer = { signer: { ...acme.deviceCa, sign: thief.sign }, certificate: acme.deviceCaDer };
    expect(await check({ issuer })).toBe('signature');
  });

  test('is refused for another usage than its own', async () => {
    expect(await check({}, { usage: 'agent' })).toBe('name');
    expect(await check({}, { usage: 'service' })).toBe('usage');
    expect(await check({ usage: 'agent', uri: agentUri(ACME, AGENT) })).toBe('name');
    expect(await check({ usage: 'ca', uri: caUri(ACME, 'x') })).toBe('usage');
  });

  test('is refused when the leaf stands where a CA must', async () => {
    const leaf = await issueCertificate(order());
    const child = await issueCertificate(order());
    expect(reason(await verifyCertificateChain([child], context({ anchor: leaf, root: undefined })))).not.toBe('ok');
    expect(reason(await verifyCertificateChain([leaf, leaf], context()))).toBe('issuer');
  });

  test('is refused for an organisation its CA does not speak for', async () => {
    const other = organisationSchema.parse('other.example');
    expect(await check({ uri: memberDeviceUri(other, ALICE, deviceNamed('A')) })).toBe('name');
  });

  test('is refused when empty, too long or not a certificate', async () => {
    const leaf = await issueCertificate(order());
    for (const chain of [[], Array.from({ length: 5 }, () => leaf), [new Uint8Array(0)], [new Uint8Array(20_000)]]) {
      expect(reason(await verifyCertificateChain(chain, context()))).toBe('malformed');
    }
  });

  test('is refused after any bit of the certificate is flipped', async () => {
    const leaf = await issueCertificate(order());
    for (let bit = 0; bit < leaf.length * 8; bit++) {
      const flipped = leaf.map((octet, at) => (at === bit >> 3 ? octet ^ (1 << (bit & 7)) : octet));
      expect(reason(await verifyCertificateChain([flipped], context())), `bit ${bit}`).not.toBe('ok');
    }
  });

  test('is refused with octets added, left out or of any kind, and never throws', async () => {
    const leaf = await issueCertificate(order());
    for (const other of [Uint8Array.of(...leaf, 0), leaf.subarray(0, -1), leaf.subarray(1)]) {
      expect(reason(await verifyCertificateChain([other], context()))).toBe('malformed');
    }
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (noise) => {
        expect(reason(await verifyCertificateChain([noise], context()))).toBe('malformed');
        expect(await verifyCertificateRequest(noise)).toBeUndefined();
      }),
    );
  });
});

describe('issuing', () => {
  test('refuses a leaf of more than 76 days, for device and agent', async () => {
    const long = { notBefore: NOW, notAfter: NOW + 77 * DAY };
    await expect(issueCertificate(order(long))).rejects.toThrow(/lifetime/);
    await expect(issueCertificate(order({ ...long, usage: 'agent', uri: agentUri(ACME, AGENT) }))).rejects.toThrow(
      /lifetime/,
    );
  });

  test('refuses a URI of another kind, a signer that is not the CA and a leaf that signs itself', async () => {
    await expect(issueCertificate(order({ uri: agentUri(ACME, AGENT) }))).rejects.toThrow(TypeError);
    await expect(issueCertificate(order({ issuer: { signer: phone, certificate: acme.deviceCaDer } }))).rejects.toThrow(
      TypeError,
    );
    await expect(issueCertificate(order({ issuer: { signer: phone, certificate: 'self' } }))).rejects.toThrow(
      TypeError,
    );
    await expect(issueCertificate(order({ pathLength: 1 }))).rejects.toThrow(TypeError);
    await expect(issueCertificate(order({ dns: ['x.example'] }))).rejects.toThrow(TypeError);
    await expect(issueCertificate(order({ serial: new Uint8Array(8) }))).rejects.toThrow(TypeError);
  });

  test('refuses a certificate that would outlive its issuer, and Ed25519', async () => {
    const short = { usage: 'ca' as const, uri: caUri(ACME, 'x'), notAfter: NOW + 1826 * DAY, notBefore: NOW };
    await expect(issueCertificate(order(short))).rejects.toThrow(/outlive/);
    const ed = await signerOf('EdDSA');
    await expect(createCertificateRequest(ed, { commonName: 'x' })).rejects.toThrow(TypeError);
    await expect(issueCertificate(order({ subjectPublicKey: ed.publicJwk }))).rejects.toThrow(TypeError);
  });
});

describe('a certificate request', () => {
  test('gives the key whose possession it proves', async () => {
    const der = await createCertificateRequest(phone, { commonName: 'Alice’s phone' });
    expect(await verifyCertificateRequest(der)).toEqual({ publicJwk: phone.publicJwk, commonName: 'Alice’s phone' });
  });

  test('is refused after any bit is flipped', async () => {
    const der = await createCertificateRequest(phone, { commonName: 'phone' });
    for (let bit = 0; bit < der.length * 8; bit++) {
      const flipped = der.map((octet, at) => (at === bit >> 3 ? octet ^ (1 << (bit & 7)) : octet));
      expect(await verifyCertificateRequest(flipped), `bit ${bit}`).toBeUndefined();
    }
  });

  test('is refused when another key signed it', async () => {
    const other = await signerOf('ES256');
    const der = await createCertificateRequest({ ...phone, sign: other.sign }, { commonName: 'phone' });
    expect(await verifyCertificateRequest(der)).toBeUndefined();
  });
});

test('certificate URIs parse to what made them, and nothing else parses', () => {
  expect(parseUri(DEVICE_URI)).toEqual({ kind: 'device', organisation: ACME, member: ALICE, device: deviceNamed('A') });
  expect(parseUri(agentUri(ACME, AGENT))).toEqual({ kind: 'agent', organisation: ACME, agent: AGENT });
  expect(parseUri(serviceUri(ACME, 'gateway'))).toEqual({ kind: 'service', organisation: ACME, name: 'gateway' });
  expect(parseUri(caUri(ACME, 'root'))).toEqual({ kind: 'ca', organisation: ACME, name: 'root' });
  for (const uri of [
    '',
    `${DEVICE_URI}/`,
    DEVICE_URI.toUpperCase(),
    'sealpost://acme.example/member/alice',
    'sealpost://acme.example/agent/a/device/x',
    'https://acme.example/agent/a',
    'sealpost://acme.example/agent/a?x',
    `${DEVICE_URI}\n`,
  ]) {
    expect(parseUri(uri), uri).toBeUndefined();
  }
});
