/** JWK as bytes and back: coordinates must be canonical base64url of exactly 32 bytes, so that a key has one spelling. */
import { concatBytes, fromBase64url, toBase64url } from '@sealpost/protocol';
import type { PublicJwk, SignatureAlgorithm } from '../signer/signer.ts';

const COORDINATE = 32;

function coordinate(text: string): Uint8Array | undefined {
  const bytes = fromBase64url(text);
  return bytes?.length === COORDINATE ? bytes : undefined;
}

/** SEC 1 uncompressed point for P-256, the 32 bytes of RFC 8032 for Ed25519; `undefined` when malformed. */
export function rawPublicKey(jwk: PublicJwk): Uint8Array | undefined {
  const x = coordinate(jwk.x);
  if (x === undefined || jwk.kty !== (jwk.crv === 'P-256' ? 'EC' : 'OKP')) return undefined;
  if (jwk.crv === 'Ed25519') return x;
  const y = coordinate(jwk.y);
  return y === undefined ? undefined : concatBytes(Uint8Array.of(4), x, y);
}

/** The JWK of an uncompressed P-256 point; whether it lies on the curve is checked when it is imported. */
export function jwkOfPoint(point: Uint8Array): (PublicJwk & { readonly crv: 'P-256' }) | undefined {
  if (point.length !== 1 + 2 * COORDINATE || point[0] !== 4) return undefined;
  return {
    crv: 'P-256',
    kty: 'EC',
    x: toBase64url(point.subarray(1, 1 + COORDINATE)),
    y: toBase64url(point.subarray(1 + COORDINATE)),
  };
}

/** The public half and nothing else, members in RFC 7638 order. */
export function publicHalf(jwk: PublicJwk): PublicJwk {
  return jwk.crv === 'P-256'
    ? { crv: jwk.crv, kty: jwk.kty, x: jwk.x, y: jwk.y }
    : { crv: jwk.crv, kty: jwk.kty, x: jwk.x };
}

export function algorithmOf(jwk: PublicJwk): SignatureAlgorithm {
  return jwk.crv === 'P-256' ? 'ES256' : 'EdDSA';
}

/** One text per key, for caches. */
export function cacheKey(jwk: PublicJwk): string {
  return jwk.crv === 'P-256' ? `${jwk.x}.${jwk.y}` : jwk.x;
}
