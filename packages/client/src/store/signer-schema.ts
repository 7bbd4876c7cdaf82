/** The device's private key as stored: a JWK, read from bytes that were sealed under the store's own key. */
import type { PrivateJwk } from '@sealpost/crypto/signer';
import { fromUtf8 } from '@sealpost/protocol';
import { clientError } from '../client-errors.ts';

export function privateJwkOf(stored: Uint8Array): PrivateJwk {
  const jwk: unknown = JSON.parse(fromUtf8(stored));
  if (typeof jwk === 'object' && jwk !== null && 'kty' in jwk && 'x' in jwk && 'd' in jwk) return jwk as PrivateJwk;
  throw clientError('ERR_CLIENT_STATE_DAMAGED');
}
