/**
 * Reading a certificate of Sealpost's profile (RFC 5280, after GSMA RCC.16): version 3, P-256, ecdsa-with-SHA256. An
 * unknown critical extension, a repeated one or any octet out of place is a `DerError`.
 */
import type { Timestamp } from '@sealpost/protocol';
import type { PublicJwk } from '../signer/signer.ts';
import {
  bitString,
  boolean,
  check,
  type Element,
  elements,
  objectId,
  only,
  parts,
  tagged,
  text,
  time,
  unsigned,
} from './der-read.ts';
import { checkEcdsaAlgorithm, publicKeyOf, signatureFromDer } from './ecdsa.ts';
import { OID, TAG } from './oid.ts';

export interface Certificate {
  /** The signed part. */
  readonly tbs: Uint8Array;
  /** r||s. */
  readonly signature: Uint8Array;
  readonly serial: Uint8Array;
  /** Names as encoded: they are compared, never interpreted. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly notBefore: Timestamp;
  readonly notAfter: Timestamp;
  readonly publicJwk: PublicJwk;
  readonly ca: boolean;
  readonly pathLength: number | undefined;
  /** First octet of KeyUsage, see `KEY_USAGE`. */
  readonly keyUsage: number;
  readonly extendedKeyUsage: readonly string[];
  readonly uris: readonly string[];
  readonly dns: readonly string[];
  readonly subjectKeyId: Uint8Array | undefined;
  readonly authorityKeyId: Uint8Array | undefined;
}

export function parseCertificate(der: Uint8Array): Certificate {
  const [tbs, algorithm, signature, ...more] = parts(only(der, TAG.sequence));
  check(tbs !== undefined && more.length === 0, 'certificate');
  checkEcdsaAlgorithm(algorithm);
  const { unused, bytes } = bitString(signature);
  check(unused === 0, 'signature');
  return { tbs: tbs.whole, signature: signatureFromDer(bytes), ...parseSigned(tbs) };
}

function parseSigned(tbs: Element) {
  const [version, serial, algorithm, issuer, validity, subject, key, extensions, ...more] = parts(tbs);
  const number = unsigned(only(tagged(version, TAG.version).content, TAG.integer));
  check(number.length === 1 && number[0] === 2 && more.length === 0, 'version 3 expected');
  checkEcdsaAlgorithm(algorithm);
  const [notBefore, notAfter, ...others] = parts(validity);
  check(others.length === 0, 'validity');
  return {
    serial: unsigned(serial),
    issuer: tagged(issuer, TAG.sequence).whole,
    subject: tagged(subject, TAG.sequence).whole,
    notBefore: time(notBefore),
    notAfter: time(notAfter),
    publicJwk: publicKeyOf(key),
    ...parseExtensions(only(tagged(extensions, TAG.extensions).content, TAG.sequence)),
  };
}

/** RFC 5280 section 4.2: each extension at most once, no unknown critical one. */
function parseExtensions(list: Element) {
  const found = new Map<string, Uint8Array>();
  for (const extension of parts(list)) {
    const [id, ...rest] = parts(extension);
    const critical = rest.length === 2 ? boolean(rest[0]) : undefined;
    check(critical !== false && (rest.length === 1 || rest.length === 2), 'extension');
    const name = objectId(id);
    check(!found.has(name), 'repeated extension');
    check(critical !== true || KNOWN.has(name), 'unknown critical extension');
    found.set(name, tagged(rest.at(-1), TAG.octetString).content);
  }
  const names = found.get(OID.subjectAltName);
  const purposes = found.get(OID.extendedKeyUsage);
  const usage = found.get(OID.keyUsage);
  return {
    ...basicConstraints(found.get(OID.basicConstraints)),
    keyUsage: usage === undefined ? 0 : (bitString(only(usage, TAG.bitString)).bytes[0] ?? 0),
    extendedKeyUsage: purposes === undefined ? [] : parts(only(purposes, TAG.sequence)).map(objectId),
    uris: generalNames(names, TAG.uri),
    dns: generalNames(names, TAG.dnsName),
    subjectKeyId: subjectKeyId(found.get(OID.subjectKeyIdentifier)),
    authorityKeyId: authorityKeyId(found.get(OID.authorityKeyIdentifier)),
  };
}

const KNOWN: ReadonlySet<string> = new Set([
  OID.basicConstraints,
  OID.keyUsage,
  OID.extendedKeyUsage,
  OID.subjectAltName,
]);

function basicConstraints(value: Uint8Array | undefined): { ca: boolean; pathLength: number | undefined } {
  if (value === undefined) return { ca: false, pathLength: undefined };
  const fields = parts(only(value, TAG.sequence));
  if (fields.length === 0) return { ca: false, pathLength: undefined };
  check(boolean(fields[0]) && fields.length <= 2, 'basic constraints');
  if (fields.length === 1) return { ca: true, pathLength: undefined };
  const limit = unsigned(fields[1]);
  check(limit.length === 1, 'path length');
  return { ca: true, pathLength: limit[0] };
}

function generalNames(value: Uint8Array | undefined, tag: number): readonly string[] {
  if (value === undefined) return [];
  return parts(only(value, TAG.sequence))
    .filter((name) => name.tag === tag)
    .map(text);
}

const subjectKeyId = (value: Uint8Array | undefined) =>
  value === undefined ? undefined : only(value, TAG.octetString).content;

const authorityKeyId = (value: Uint8Array | undefined) =>
  value === undefined
    ? undefined
    : elements(only(value, TAG.sequence).content).find(({ tag }) => tag === TAG.keyIdentifier)?.content;
