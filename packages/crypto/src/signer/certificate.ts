/**
 * Issuing certificates and asking for them, each signature made through the signing port, so that the CA key may live in
 * an HSM. The profile (x509/profile.ts) is enforced here and again by every verifier.
 */
import type { Timestamp } from '@sealpost/protocol';
import { certificateToSign, distinguishedName, keyIdentifier, requestToSign, signedObject } from '../x509/build.ts';
import { type Certificate, parseCertificate } from '../x509/certificate.ts';
import { type CertificateUsage, PROFILES, ROOT_LONGEST } from '../x509/profile.ts';
import { parseUri } from '../x509/uri.ts';
import type { PublicJwk, Signer } from './signer.ts';

export interface CertificateOrder {
  readonly subjectPublicKey: PublicJwk;
  /** The subject: one of the forms of x509/uri.ts, of the kind `usage` says. */
  readonly uri: string;
  readonly dns?: readonly string[];
  readonly usage: CertificateUsage;
  readonly notBefore: Timestamp;
  readonly notAfter: Timestamp;
  /** 16 random bytes. */
  readonly serial: Uint8Array;
  readonly issuer: { readonly signer: Signer; readonly certificate: Uint8Array | 'self' };
  /** How many CAs may follow; for `ca` only. */
  readonly pathLength?: number;
}

function requireEcdsa(signer: Signer): void {
  if (signer.algorithm !== 'ES256') throw new TypeError('certificates are signed with ES256');
}

/** PKCS#10 (RFC 2986); its signature proves possession of the key. Only ES256 signers. */
export async function createCertificateRequest(
  signer: Signer,
  { commonName }: { readonly commonName: string },
): Promise<Uint8Array> {
  requireEcdsa(signer);
  const toSign = requestToSign(signer.publicJwk, commonName);
  return signedObject(toSign, await signer.sign(toSign));
}

/** Throws TypeError on an order the profile forbids: that is a mistake of the issuing code, never a person's input. */
export async function issueCertificate(order: CertificateOrder): Promise<Uint8Array> {
  const { signer, certificate } = order.issuer;
  requireEcdsa(signer);
  checkOrder(order);
  const issuer = certificate === 'self' ? undefined : issuerOf(certificate, signer, order);
  const subject = subjectOf(order.uri);
  const toSign = certificateToSign({
    serial: positive(order.serial),
    issuer: issuer?.subject ?? subject,
    subject,
    notBefore: order.notBefore,
    notAfter: order.notAfter,
    publicJwk: order.subjectPublicKey,
    ca: order.usage === 'ca' ? { pathLength: order.pathLength } : undefined,
    keyUsage: PROFILES[order.usage].keyUsage,
    extendedKeyUsage: PROFILES[order.usage].extendedKeyUsage,
    uri: order.uri,
    dns: order.dns ?? [],
    authorityKeyId: issuer?.subjectKeyId ?? keyIdentifier(signer.publicJwk),
  });
  return signedObject(toSign, await signer.sign(toSign));
}

function checkOrder(order: CertificateOrder): void {
  const self = order.issuer.certificate === 'self';
  const longest = self ? ROOT_LONGEST : PROFILES[order.usage].longest;
  if (parseUri(order.uri)?.kind !== order.usage) throw new TypeError('the URI names another kind of subject');
  if (order.notAfter <= order.notBefore) throw new TypeError('the certificate would never be valid');
  if (order.notAfter - order.notBefore > longest) throw new TypeError('the profile allows no such lifetime');
  if (self && (order.usage !== 'ca' || order.issuer.signer.publicJwk.x !== order.subjectPublicKey.x)) {
    throw new TypeError('only a CA signs its own certificate');
  }
  if (order.pathLength !== undefined && order.usage !== 'ca') throw new TypeError('only a CA has a path length');
  if (order.dns !== undefined && order.dns.length > 0 && order.usage !== 'service') {
    throw new TypeError('only a service has DNS names');
  }
}

function issuerOf(der: Uint8Array, signer: Signer, order: CertificateOrder): Certificate {
  const issuer = parseCertificate(der);
  const same = issuer.publicJwk.x === signer.publicJwk.x;
  if (!issuer.ca || !same) throw new TypeError('the signer is not the CA of this certificate');
  if (order.notAfter > issuer.notAfter) throw new TypeError('the certificate would outlive its issuer');
  return issuer;
}

function subjectOf(uri: string): Uint8Array {
  const [organisation = '', ...path] = uri.slice('sealpost://'.length).split('/');
  return distinguishedName({ organisation, commonName: path.slice(path.length === 2 ? 0 : -1).join(' ') });
}

/** RFC 5280 section 4.1.2.2: positive, at most 20 octets; the second bit keeps the length constant. */
function positive(serial: Uint8Array): Uint8Array {
  if (serial.length !== 16) throw new TypeError('a serial number has 16 random bytes');
  return serial.map((octet, at) => (at === 0 ? (octet & 0x3f) | 0x40 : octet));
}
