/**
 * Encoding certificates and certification requests (RFC 5280, RFC 2986). What is signed is built here; the signature
 * comes from elsewhere through the signing port.
 */

import { type Timestamp, utf8 } from '@sealpost/protocol';
import { sha256 } from '#primitives';
import { rawPublicKey } from '../primitives/jwk.ts';
import type { PublicJwk } from '../signer/signer.ts';
import { bits, element, integer, isTrue, objectId, octets, sequence, text, time } from './der-write.ts';
import { ecdsaAlgorithm, publicKeyInfo, signatureToDer } from './ecdsa.ts';
import { OID, TAG } from './oid.ts';

export interface CertificateFields {
  readonly serial: Uint8Array;
  /** Encoded Name. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly notBefore: Timestamp;
  readonly notAfter: Timestamp;
  readonly publicJwk: PublicJwk;
  readonly ca: { readonly pathLength: number | undefined } | undefined;
  readonly keyUsage: number;
  readonly extendedKeyUsage: readonly string[];
  readonly uri: string;
  readonly dns: readonly string[];
  readonly authorityKeyId: Uint8Array;
}

const ATTRIBUTE_LIMIT = 64; // ub-common-name and ub-organization-name, RFC 5280 appendix A.1

/** Organisation and common name for people who read certificates; nothing in Sealpost decides by them. */
export function distinguishedName(names: { readonly organisation?: string; readonly commonName: string }): Uint8Array {
  const attribute = (oid: string, value: string) =>
    element(TAG.set, sequence(objectId(oid), text(value.slice(0, ATTRIBUTE_LIMIT))));
  const organisation = names.organisation === undefined ? [] : [attribute(OID.organisation, names.organisation)];
  return sequence(...organisation, attribute(OID.commonName, names.commonName));
}

/** RFC 7093 section 2, method 1: the first 160 bits of SHA-256 over the public key. */
export function keyIdentifier(jwk: PublicJwk): Uint8Array {
  const point = rawPublicKey(jwk);
  if (point === undefined) throw new TypeError('the public key is malformed');
  return sha256(point).slice(0, 20);
}

function extension(oid: string, critical: boolean, value: Uint8Array): Uint8Array {
  return sequence(objectId(oid), ...(critical ? [isTrue()] : []), octets(value));
}

function extensions(fields: CertificateFields): Uint8Array {
  const { ca } = fields;
  const limit = ca?.pathLength === undefined ? [] : [integer(Uint8Array.of(ca.pathLength))];
  const purposes = fields.extendedKeyUsage;
  const names = [element(TAG.uri, utf8(fields.uri)), ...fields.dns.map((name) => element(TAG.dnsName, utf8(name)))];
  return sequence(
    extension(OID.basicConstraints, true, ca === undefined ? sequence() : sequence(isTrue(), ...limit)),
    extension(OID.keyUsage, true, namedBits(fields.keyUsage)),
    ...(purposes.length === 0 ? [] : [extension(OID.extendedKeyUsage, false, sequence(...purposes.map(objectId)))]),
    extension(OID.subjectAltName, false, sequence(...names)),
    extension(OID.subjectKeyIdentifier, false, octets(keyIdentifier(fields.publicJwk))),
    extension(OID.authorityKeyIdentifier, false, sequence(element(TAG.keyIdentifier, fields.authorityKeyId))),
  );
}

/** A named bit list ends with its last one bit (X.690 section 11.2.2). */
function namedBits(octet: number): Uint8Array {
  let unused = 0;
  while (unused < 7 && ((octet >> unused) & 1) === 0) unused++;
  return bits(Uint8Array.of(octet), unused);
}

export function certificateToSign(fields: CertificateFields): Uint8Array {
  return sequence(
    element(TAG.version, integer(Uint8Array.of(2))),
    integer(fields.serial),
    ecdsaAlgorithm(),
    fields.issuer,
    sequence(time(fields.notBefore), time(fields.notAfter)),
    fields.subject,
    publicKeyInfo(fields.publicJwk),
    element(TAG.extensions, extensions(fields)),
  );
}

/** CertificationRequestInfo with no attributes (RFC 2986 section 4.1). */
export function requestToSign(publicJwk: PublicJwk, commonName: string): Uint8Array {
  return sequence(
    integer(Uint8Array.of(0)),
    distinguishedName({ commonName }),
    publicKeyInfo(publicJwk),
    element(TAG.attributes),
  );
}

/** The outer SEQUENCE both have: what was signed, the algorithm, the signature. */
export function signedObject(toSign: Uint8Array, signature: Uint8Array): Uint8Array {
  return sequence(toSign, ecdsaAlgorithm(), bits(signatureToDer(signature)));
}
