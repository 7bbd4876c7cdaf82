/** Certificates and requests as other implementations see them: OpenSSL's command line and Node's own parser. */
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCertificateRequest, issueCertificate, type Signer } from '../../src/signer/index.ts';
import {
  memberDeviceUri,
  serviceUri,
  verifyCertificateChain,
  verifyCertificateRequest,
} from '../../src/verify/index.ts';
import { ACME, ALICE, createOrganisation, DAY, deviceNamed, NOW, serial, signerOf } from '../verify/people.ts';

const folder = mkdtempSync(join(tmpdir(), 'sealpost-x509-'));
let acme: Awaited<ReturnType<typeof createOrganisation>>;
let phone: Signer;
let leaf: Uint8Array;
const openssl = (...args: string[]) =>
  execFileSync('openssl', args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const pem = (name: string, der: Uint8Array) => writeFileSync(join(folder, name), new X509Certificate(der).toString());

beforeAll(async () => {
  acme = await createOrganisation();
  phone = await signerOf('ES256');
  leaf = await acme.issueDevice(phone, ALICE, deviceNamed('A'));
  pem('root.pem', acme.rootDer);
  pem('ca.pem', acme.deviceCaDer);
  pem('leaf.pem', leaf);
});
afterAll(() => rmSync(folder, { recursive: true }));

test('OpenSSL verifies our chain under its strict rules, for TLS clients', () => {
  const at = ['-attime', String(NOW / 1000)];
  expect(
    openssl(
      'verify',
      '-x509_strict',
      ...at,
      '-purpose',
      'sslclient',
      '-CAfile',
      'root.pem',
      '-untrusted',
      'ca.pem',
      'leaf.pem',
    ),
  ).toContain('leaf.pem: OK');
});

test('OpenSSL refuses our device certificate as a TLS server', () => {
  expect(() =>
    openssl(
      'verify',
      '-attime',
      String(NOW / 1000),
      '-purpose',
      'sslserver',
      '-CAfile',
      'root.pem',
      '-untrusted',
      'ca.pem',
      'leaf.pem',
    ),
  ).toThrow();
});

test('Node reads the same subject, times and key from our certificates', async () => {
  const certificate = new X509Certificate(leaf);
  expect(certificate.subjectAltName).toBe(`URI:${memberDeviceUri(ACME, ALICE, deviceNamed('A'))}`);
  expect(certificate.checkIssued(new X509Certificate(acme.deviceCaDer))).toBe(true);
  expect(certificate.verify(new X509Certificate(acme.deviceCaDer).publicKey)).toBe(true);
  expect(certificate.validToDate.getTime()).toBe(NOW - 60_000 + 76 * DAY);
  expect(certificate.publicKey.export({ format: 'jwk' })).toEqual(phone.publicJwk);
  expect(new X509Certificate(acme.rootDer).ca).toBe(true);
});

test('Node finds the DNS name of our service certificates', async () => {
  const der = await issueCertificate({
    subjectPublicKey: phone.publicJwk,
    uri: serviceUri(ACME, 'gateway'),
    dns: ['gateway.acme.example'],
    usage: 'service',
    notBefore: NOW,
    notAfter: NOW + DAY,
    serial: serial(),
    issuer: { signer: acme.serviceCa, certificate: acme.serviceCaDer },
  });
  expect(new X509Certificate(der).checkHost('gateway.acme.example')).toBe('gateway.acme.example');
});

test('OpenSSL verifies our certificate request', async () => {
  writeFileSync(join(folder, 'request.der'), await createCertificateRequest(phone, { commonName: 'phone' }));
  expect(openssl('req', '-inform', 'DER', '-in', 'request.der', '-verify', '-noout', '-subject')).toContain('phone');
});

test('we verify a request and a chain that OpenSSL made, and refuse what is outside the profile', async () => {
  openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'key.pem');
  openssl('req', '-new', '-key', 'key.pem', '-subj', '/O=Acme/CN=phone', '-outform', 'DER', '-out', 'made.der');
  const { readFileSync } = await import('node:fs');
  const read = (name: string) => new Uint8Array(readFileSync(join(folder, name)));
  expect(await verifyCertificateRequest(read('made.der'))).toMatchObject({ commonName: 'phone' });

  const self = (out: string, extra: string[]) =>
    openssl(
      'req',
      '-x509',
      '-new',
      '-key',
      'key.pem',
      '-subj',
      '/CN=ca',
      '-days',
      '30',
      '-outform',
      'DER',
      '-out',
      out,
      ...extra,
    );
  self('self.der', ['-addext', 'keyUsage=critical,keyCertSign']);
  openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'leaf-key.pem');
  const uri = memberDeviceUri(ACME, ALICE, deviceNamed('A'));
  const issue = (out: string, extension: string) => {
    writeFileSync(join(folder, 'ext.cnf'), extension);
    openssl('req', '-new', '-key', 'leaf-key.pem', '-subj', '/CN=x', '-out', 'leaf.csr');
    openssl('x509', '-inform', 'DER', '-in', 'self.der', '-out', 'self.pem');
    openssl(
      'x509',
      '-req',
      '-in',
      'leaf.csr',
      '-CA',
      'self.pem',
      '-CAkey',
      'key.pem',
      '-days',
      '20',
      '-extfile',
      'ext.cnf',
      '-outform',
      'DER',
      '-out',
      out,
    );
    return read(out);
  };
  const usual = `subjectAltName=URI:${uri}\nextendedKeyUsage=clientAuth\nkeyUsage=critical,digitalSignature\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n`;
  const context = { anchor: read('self.der'), now: Date.now() + 60_000, usage: 'device' as const };
  const verdict = (extension: string) => verifyCertificateChain([issue('o.der', extension)], context);
  expect(await verdict(usual)).toMatchObject({ kind: 'ok', uri });
  expect(await verdict(`${usual}1.2.3.4=critical,ASN1:NULL\n`)).toEqual({ kind: 'refused', reason: 'malformed' });
  expect(await verdict(usual.replace('URI:', 'URI:sealpost://acme.example/agent/a,URI:'))).toEqual({
    kind: 'refused',
    reason: 'name',
  });
  expect(await verdict(usual.replace('clientAuth', 'codeSigning'))).toEqual({ kind: 'refused', reason: 'usage' });
  expect(await verdict(usual.replace('digitalSignature', 'keyAgreement'))).toEqual({
    kind: 'refused',
    reason: 'usage',
  });
});
