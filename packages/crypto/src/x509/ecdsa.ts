/** ECDSA signatures and P-256 keys between the forms of JOSE (r||s, JWK) and of X.509 (RFC 3279 section 2.2.3, RFC 5480). */
import { concatBytes } from '@sealpost/protocol';
import { jwkOfPoint, rawPublicKey } from '../primitives/jwk.ts';
import type { PublicJwk } from '../signer/signer.ts';
import { bitString, check, type Element, only, parts, objectId as readObjectId, unsigned } from './der-read.ts';
import { bits, integer, objectId, sequence } from './der-write.ts';
import { OID, TAG } from './oid.ts';

const HALF = 32;

export function ecdsaAlgorithm(): Uint8Array {
  return sequence(objectId(OID.ecdsaWithSha256));
}

/** Only ecdsa-with-SHA256, with absent parameters (RFC 5758 section 3.2). */
export function checkEcdsaAlgorithm(element: Element | undefined): void {
  const [algorithm, ...parameters] = parts(element);
  check(readObjectId(algorithm) === OID.ecdsaWithSha256 && parameters.length === 0, 'signature algorithm');
}

export function signatureToDer(signature: Uint8Array): Uint8Array {
  return sequence(integer(signature.subarray(0, HALF)), integer(signature.subarray(HALF)));
}

export function signatureFromDer(der: Uint8Array): Uint8Array {
  const [r, s, ...more] = parts(only(der, TAG.sequence));
  const halves = [unsigned(r), unsigned(s)];
  check(more.length === 0 && halves.every((half) => half.length <= HALF), 'signature');
  return concatBytes(...halves.map((half) => concatBytes(new Uint8Array(HALF - half.length), half)));
}

export function publicKeyInfo(jwk: PublicJwk): Uint8Array {
  const point = jwk.crv === 'P-256' ? rawPublicKey(jwk) : undefined;
  if (point === undefined) throw new TypeError('certificates are made for P-256 keys');
  return sequence(sequence(objectId(OID.ecPublicKey), objectId(OID.p256)), bits(point));
}

export function publicKeyOf(info: Element | undefined): PublicJwk {
  const [algorithm, key, ...more] = parts(info);
  const [kind, curve, ...parameters] = parts(algorithm);
  check(more.length === 0 && parameters.length === 0, 'public key');
  check(readObjectId(kind) === OID.ecPublicKey && readObjectId(curve) === OID.p256, 'public key algorithm');
  const { unused, bytes } = bitString(key);
  const jwk = unused === 0 ? jwkOfPoint(bytes) : undefined;
  check(jwk !== undefined, 'public key point');
  return jwk;
}
