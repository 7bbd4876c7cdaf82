/** RFC 7638 thumbprints: the id of a key is the SHA-256 of its canonical public JWK. */

import { canonicalBytes, type KeyId, keyIdSchema, toBase64url } from '@sealpost/protocol';
import { sha256 } from '#primitives';
import type { PublicJwk } from '../signer/signer.ts';
import { publicHalf } from './jwk.ts';

export function thumbprint(jwk: PublicJwk): KeyId {
  return keyIdSchema.parse(toBase64url(sha256(canonicalBytes(publicHalf(jwk)))));
}

/** RFC 7638 section 3: members of the required set only, so a private JWK has the id of its public half. */
export async function keyIdOf(jwk: PublicJwk): Promise<KeyId> {
  return thumbprint(jwk);
}
