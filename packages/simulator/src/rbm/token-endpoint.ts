/**
 * Google's OAuth 2.0 token endpoint for service accounts (Google, "Using OAuth 2.0 for server to server applications";
 * RFC 7523 section 3): verifies the signed grant against the registered public key and issues bearer tokens of an hour.
 */
import { createPublicKey } from 'node:crypto';
import { jwtVerify } from 'jose';
import { randomHex } from '../random-id.ts';

const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const SCOPE = 'https://www.googleapis.com/auth/rcsbusinessmessaging';
const LIFETIME_SECONDS = 3599;

export interface TokenAnswer {
  readonly status: 200 | 400;
  readonly body: Readonly<Record<string, string | number>>;
}

export interface TokenEndpoint {
  /** Answers an `application/x-www-form-urlencoded` request body. */
  grant(form: string): Promise<TokenAnswer>;
  isValid(token: string): boolean;
}

export function createTokenEndpoint(publicKeyPem: string, now: () => number, random: () => number): TokenEndpoint {
  const publicKey = createPublicKey(publicKeyPem);
  const issued = new Map<string, number>();

  async function verify(assertion: string): Promise<string | undefined> {
    try {
      const { payload } = await jwtVerify(assertion, publicKey, {
        algorithms: ['RS256'],
        requiredClaims: ['iss', 'scope', 'aud', 'exp', 'iat'],
        currentDate: new Date(now()),
      });
      if (typeof payload.aud !== 'string' || !payload.aud.endsWith('/token')) return 'invalid audience';
      if ((payload.exp ?? 0) - (payload.iat ?? 0) > 3600) return 'lifetime over an hour';
      return String(payload.scope).split(' ').includes(SCOPE) ? undefined : 'scope missing';
    } catch {
      return 'Invalid JWT Signature.';
    }
  }

  return {
    async grant(form) {
      const fields = new URLSearchParams(form);
      if (fields.get('grant_type') !== GRANT_TYPE) return refusal('unsupported_grant_type', 'use a JWT bearer grant');
      const fault = await verify(fields.get('assertion') ?? '');
      if (fault !== undefined) return refusal('invalid_grant', fault);
      const token = `ya29.${randomHex(random, 48)}`;
      issued.set(token, now() + LIFETIME_SECONDS * 1000);
      return { status: 200, body: { access_token: token, expires_in: LIFETIME_SECONDS, token_type: 'Bearer' } };
    },
    isValid: (token) => (issued.get(token) ?? 0) > now(),
  };
}

function refusal(error: string, description: string): TokenAnswer {
  return { status: 400, body: { error, error_description: description } };
}
