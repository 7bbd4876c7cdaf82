/**
 * Path validation (RFC 5280 section 6.1) for the short chains of Sealpost's profile: leaf, intermediates if any, and an
 * anchor the caller pins. Parsed certificates and good signatures are remembered by hash; time, names and usage are
 * checked every time.
 */

import { equalBytes, type Timestamp, toBase64url } from '@sealpost/protocol';
import { sha256, verifySignature } from '#primitives';
import { cacheKey } from '../primitives/jwk.ts';
import { leastRecent } from '../primitives/least-recent.ts';
import type { PublicJwk } from '../signer/signer.ts';
import { type Certificate, parseCertificate } from '../x509/certificate.ts';
import { KEY_USAGE } from '../x509/oid.ts';
import { type LeafUsage, PROFILES, ROOT_LONGEST } from '../x509/profile.ts';
import { parseUri } from '../x509/uri.ts';

export type { LeafUsage } from '../x509/profile.ts';

export interface ChainContext {
  /** DER of the issuing CA the caller pins. */
  readonly anchor: Uint8Array;
  /** DER of the organisation root; when given, the anchor must be signed by it. */
  readonly root?: Uint8Array;
  readonly now: Timestamp;
  readonly usage: LeafUsage;
  /** How much longer, in ms, every certificate of the chain must be valid (GSMA RCC.16: 30 days to enter a group). */
  readonly minimumLeft?: number;
}

export type ChainRefusal =
  | 'malformed'
  | 'issuer'
  | 'signature'
  | 'not-a-ca'
  | 'path-length'
  | 'not-yet-valid'
  | 'expired'
  | 'lifetime'
  | 'usage'
  | 'name';

export type ChainVerdict =
  | { readonly kind: 'ok'; readonly uri: string; readonly publicJwk: PublicJwk; readonly notAfter: Timestamp }
  | { readonly kind: 'refused'; readonly reason: ChainRefusal };

interface Known {
  readonly certificate: Certificate;
  readonly hash: string;
}

const CHAIN_LIMIT = 4;
const parsed = leastRecent<Known>(4096);
const signedBy = leastRecent<true>(4096);

const refused = (reason: ChainRefusal): ChainVerdict => ({ kind: 'refused', reason });

/** Answers `undefined` for DER that is no certificate of the profile. */
function read(der: Uint8Array): Known | undefined {
  const hash = toBase64url(sha256(der));
  const known = parsed.get(hash);
  if (known !== undefined) return known;
  try {
    // a copy, so that what the cache holds cannot change under it
    const fresh = { certificate: parseCertificate(new Uint8Array(der)), hash };
    parsed.set(hash, fresh);
    return fresh;
  } catch {
    return undefined;
  }
}

export async function verifyCertificateChain(
  chain: readonly Uint8Array[],
  context: ChainContext,
): Promise<ChainVerdict> {
  if (chain.length === 0 || chain.length > CHAIN_LIMIT) return refused('malformed');
  const path = [...chain, context.anchor, ...(context.root === undefined ? [] : [context.root])].map(read);
  const known = path.filter((entry) => entry !== undefined);
  const [leaf] = known;
  if (leaf === undefined || known.length !== path.length) return refused('malformed');
  const fault =
    (await linkFault(known)) ??
    authorityFault(known.slice(1)) ??
    timeFault(known, context) ??
    leafFault(leaf, context) ??
    organisationFault(known);
  if (fault !== undefined) return refused(fault);
  const { uris, publicJwk } = leaf.certificate;
  const notAfter = Math.min(...known.map(({ certificate }) => certificate.notAfter));
  return { kind: 'ok', uri: uris[0] ?? '', publicJwk, notAfter };
}

/** Answers `undefined` when `authority` (DER) is a CA certified by `root`; time is checked when a leaf is. */
export async function authorityRefusal(authority: Uint8Array, root: Uint8Array): Promise<ChainRefusal | undefined> {
  const path = [authority, root].map(read).filter((entry) => entry !== undefined);
  if (path.length !== 2) return 'malformed';
  return (await linkFault(path)) ?? authorityFault(path);
}

/** The public key of a certificate (DER), or `undefined` when it is not one of the profile. */
export function certifiedKey(der: Uint8Array): PublicJwk | undefined {
  return read(der)?.certificate.publicJwk;
}

/** Each certificate names and is signed by the next (section 6.1.3 a 1 and a 4). */
async function linkFault(path: readonly Known[]): Promise<ChainRefusal | undefined> {
  for (const [at, issuer] of path.entries()) {
    const child = path[at - 1];
    if (child === undefined) continue;
    if (!names(child.certificate, issuer.certificate)) return 'issuer';
    const link = `${child.hash} ${cacheKey(issuer.certificate.publicJwk)}`;
    if (signedBy.get(link) === true) continue;
    const { tbs, signature } = child.certificate;
    if (!(await verifySignature(issuer.certificate.publicJwk, tbs, signature))) return 'signature';
    signedBy.set(link, true);
  }
  return undefined;
}

function names(child: Certificate, issuer: Certificate): boolean {
  if (!equalBytes(child.issuer, issuer.subject)) return false;
  if (child.authorityKeyId === undefined || issuer.subjectKeyId === undefined) return false;
  return equalBytes(child.authorityKeyId, issuer.subjectKeyId);
}

/** Sections 6.1.4 k to n; `authorities[0]` issued the leaf, so `at` CAs stand below the one at `at`. */
function authorityFault(authorities: readonly Known[]): ChainRefusal | undefined {
  for (const [at, { certificate }] of authorities.entries()) {
    if (!certificate.ca || (certificate.keyUsage & KEY_USAGE.keyCertSign) === 0) return 'not-a-ca';
    if (certificate.pathLength !== undefined && at > certificate.pathLength) return 'path-length';
  }
  return undefined;
}

function timeFault(path: readonly Known[], { now, minimumLeft = 0, usage }: ChainContext): ChainRefusal | undefined {
  for (const [at, { certificate }] of path.entries()) {
    const { notBefore, notAfter } = certificate;
    if (now < notBefore) return 'not-yet-valid';
    if (now > notAfter || notAfter - now < minimumLeft) return 'expired';
    if (notAfter - notBefore > (at === 0 ? PROFILES[usage].longest : ROOT_LONGEST)) return 'lifetime';
  }
  return undefined;
}

/** One URI, of the kind asked for and of the profile's usages; nothing else decides who this is. */
function leafFault({ certificate }: Known, { usage }: ChainContext): ChainRefusal | undefined {
  const { keyUsage, extendedKeyUsage } = PROFILES[usage];
  if (certificate.ca || (certificate.keyUsage & keyUsage) !== keyUsage) return 'usage';
  if (!extendedKeyUsage.every((purpose) => certificate.extendedKeyUsage.includes(purpose))) return 'usage';
  const [uri, ...more] = certificate.uris;
  if (uri === undefined || more.length > 0) return 'name';
  return parseUri(uri)?.kind === usage ? undefined : 'name';
}

/** A CA named for one organisation speaks for no other; an enterprise's own CA carries no such name. */
function organisationFault([leaf, ...authorities]: readonly Known[]): ChainRefusal | undefined {
  const organisationOf = (known: Known | undefined) => parseUri(known?.certificate.uris[0] ?? '')?.organisation;
  const named = authorities.map(organisationOf).filter((organisation) => organisation !== undefined);
  return named.every((organisation) => organisation === organisationOf(leaf)) ? undefined : 'name';
}
