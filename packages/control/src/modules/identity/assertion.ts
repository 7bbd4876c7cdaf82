/**
 * Client assertions (RFC 7523 section 3): a JWT signed with a registered key, at most five minutes alive, meant for this
 * server, taken once. What is wrong is told apart only as far as the caller can act on it.
 */
import type { PublicJwk } from '@sealpost/crypto/signer';
import type { Sql, Surroundings } from '@sealpost/platform';
import { fromBase64url, fromUtf8 } from '@sealpost/protocol';
import { errors, type JWTPayload, jwtVerify } from 'jose';
import { z } from 'zod';
import { identityError } from './identity-errors.ts';

const MAX_LIFETIME = 300;
/** Clocks differ; a minute is more than NTP leaves. */
const CLOCK_TOLERANCE = 60;

/** `iss` and `sub` name the same client (RFC 7523 section 3, items 1 and 2.B); read before anything is believed. */
const claimedSchema = z.object({ iss: z.string().max(64), sub: z.string().max(64) });
const claimsSchema = z.object({ exp: z.number(), iat: z.number(), jti: z.string().min(8).max(128) });

export interface Assertions {
  /** The subject an assertion claims, unverified, to look its key up. */
  claimedSubject(assertion: string): string;
  /** Checks signature, audience and times, then spends the `jti`. Throws one of the ERR_IDENTITY codes. */
  accept(assertion: string, subject: string, key: PublicJwk): Promise<void>;
}

export function createAssertions(deps: {
  sql: Sql;
  surroundings: Surroundings;
  audiences: readonly string[];
}): Assertions {
  const { sql, surroundings, audiences } = deps;
  return {
    claimedSubject(assertion) {
      const claimed = claimedSchema.safeParse(payloadOf(assertion));
      if (!claimed.success || claimed.data.iss !== claimed.data.sub) throw identityError('ERR_IDENTITY_ASSERTION');
      return claimed.data.sub;
    },
    async accept(assertion, subject, key) {
      const now = surroundings.now();
      const payload = await verified(assertion, key, subject, audiences, now);
      const claims = claimsSchema.safeParse(payload);
      if (!claims.success) throw identityError('ERR_IDENTITY_ASSERTION');
      const { exp, iat, jti } = claims.data;
      const seconds = now / 1000;
      if (exp > seconds + MAX_LIFETIME || exp - iat > MAX_LIFETIME || iat > seconds + CLOCK_TOLERANCE)
        throw identityError('ERR_IDENTITY_EXPIRED');
      await spend(sql, subject, jti, Math.ceil(exp * 1000), now);
    },
  };
}

async function verified(
  assertion: string,
  key: PublicJwk,
  subject: string,
  audiences: readonly string[],
  now: number,
): Promise<JWTPayload> {
  const expected = {
    algorithms: key.kty === 'EC' ? ['ES256'] : ['EdDSA', 'Ed25519'],
    issuer: subject,
    subject,
    audience: [...audiences],
    requiredClaims: ['exp', 'iat', 'jti'],
    currentDate: new Date(now),
  };
  try {
    return (await jwtVerify(assertion, { ...key }, expected)).payload;
  } catch (error) {
    if (error instanceof errors.JWTExpired) throw identityError('ERR_IDENTITY_EXPIRED');
    if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'aud')
      throw identityError('ERR_IDENTITY_AUDIENCE');
    if (error instanceof errors.JWTClaimValidationFailed && (error.claim === 'nbf' || error.claim === 'iat'))
      throw identityError('ERR_IDENTITY_EXPIRED');
    throw identityError('ERR_IDENTITY_ASSERTION');
  }
}

async function spend(sql: Sql, subject: string, jti: string, expires: number, now: number): Promise<void> {
  await sql.query('assertion-prune', 'DELETE FROM assertion_used WHERE expires_at < $1', [now]);
  const rows = await sql.query(
    'assertion-spend',
    'INSERT INTO assertion_used (subject, jti, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING 1 AS spent',
    [subject, jti, expires],
  );
  if (rows.length === 0) throw identityError('ERR_IDENTITY_REPLAYED');
}

function payloadOf(assertion: string): unknown {
  const bytes = fromBase64url(assertion.split('.')[1] ?? '');
  if (bytes === undefined) return undefined;
  try {
    return JSON.parse(fromUtf8(bytes));
  } catch {
    return undefined;
  }
}
