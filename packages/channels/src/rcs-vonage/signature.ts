/**
 * The proof of a Vonage webhook: `Authorization: Bearer` with a JWT of Vonage, HS256 under the account's signature secret,
 * and in it `payload_hash`, the SHA-256 of the body in hexadecimal (Vonage, "Signed Webhooks"). The algorithm is pinned:
 * the same header carries our own RS256 tokens the other way, and a verifier that took both could be given one for the
 * other. A token without the hash proves nothing about the body and is refused.
 */
import { createHash } from 'node:crypto';
import { errors, jwtVerify } from 'jose';
import { z } from 'zod';
import { sameHexMac } from '../signature.ts';

/** Vonage signs when it posts; the window also bounds how long a copied request can be played again. */
const MAX_AGE_SECONDS = 300;
const CLOCK_TOLERANCE_SECONDS = 60;

const claimsSchema = z.object({ payload_hash: z.string().max(128), application_id: z.string().max(64).optional() });
export type WebhookClaims = z.infer<typeof claimsSchema>;

/** What the token claims, once all of it is proved; `undefined` otherwise. */
export async function verifyWebhookToken(
  authorization: string | undefined,
  body: Uint8Array,
  secret: Uint8Array,
  now: number,
): Promise<WebhookClaims | undefined> {
  const [, token] = /^Bearer ([A-Za-z0-9._-]{1,8192})$/i.exec(authorization ?? '') ?? [];
  if (token === undefined || secret.byteLength === 0) return undefined;
  try {
    const { payload } = await jwtVerify(token, secret, {
      algorithms: ['HS256'],
      issuer: 'Vonage',
      maxTokenAge: MAX_AGE_SECONDS,
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      currentDate: new Date(now),
    });
    const claims = claimsSchema.safeParse(payload);
    if (!claims.success) return undefined;
    const hash = createHash('sha256').update(body).digest();
    return sameHexMac(claims.data.payload_hash.toLowerCase(), hash) ? claims.data : undefined;
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof TypeError) return undefined;
    throw error;
  }
}
