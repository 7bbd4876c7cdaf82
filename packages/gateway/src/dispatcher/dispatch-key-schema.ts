/** The dispatch key as the key store holds it: a private JWK on P-256. */
import type { PrivateJwk } from '@sealpost/crypto/signer';
import { z } from 'zod';

const schema = z.object({ kty: z.literal('EC'), crv: z.literal('P-256'), x: z.string(), y: z.string(), d: z.string() });

export function privateJwkOf(text: string): PrivateJwk {
  return schema.parse(JSON.parse(text));
}
