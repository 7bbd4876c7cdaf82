/**
 * Access tokens (the shape of RFC 9068): a JWT of five minutes, signed by control's own token key, for one application
 * and one flow, for one approver, or for one console session. Only control reads them.
 */
import { type Signer, signJws } from '@sealpost/crypto/signer';
import { verifyJws } from '@sealpost/crypto/verify';
import type { Surroundings } from '@sealpost/platform';
import {
  flowNameSchema,
  keyIdSchema,
  memberIdSchema,
  type Organisation,
  type SessionId,
  sessionIdSchema,
} from '@sealpost/protocol';
import { z } from 'zod';

export const TOKEN_LIFETIME = 300;
const TOKEN_TYPE = 'at+jwt';

const base = {
  iss: z.string(),
  aud: z.literal('control'),
  iat: z.int(),
  exp: z.int(),
  jti: z.string().max(64),
};
const claimsSchema = z.discriminatedUnion('scope', [
  z.strictObject({ ...base, scope: z.literal('flow'), sub: memberIdSchema, flow: flowNameSchema }),
  z.strictObject({ ...base, scope: z.literal('operator'), sub: keyIdSchema }),
  z.strictObject({ ...base, scope: z.literal('console'), sub: sessionIdSchema }),
]);
export type Grant =
  | { readonly scope: 'flow'; readonly sub: string; readonly flow: string }
  | { readonly scope: 'operator'; readonly sub: string }
  | { readonly scope: 'console'; readonly sub: SessionId };

export interface AccessTokens {
  issue(grant: Grant): Promise<string>;
  /** `undefined` for anything that is not a token of ours that is valid now. */
  read(token: string): Promise<Grant | undefined>;
}

export function createAccessTokens(deps: {
  signer: Signer;
  organisation: Organisation;
  surroundings: Surroundings;
}): AccessTokens {
  const { signer, organisation, surroundings } = deps;
  const seconds = () => Math.floor(surroundings.now() / 1000);
  return {
    issue(grant) {
      const [iat, jti] = [seconds(), surroundings.uuid()];
      return signJws(
        TOKEN_TYPE,
        { ...grant, iss: organisation, aud: 'control', iat, exp: iat + TOKEN_LIFETIME, jti },
        signer,
      );
    },
    async read(token) {
      const verdict = await verifyJws(token, { typ: TOKEN_TYPE, key: signer.publicJwk, schema: claimsSchema });
      if (verdict.kind === 'refused') return undefined;
      const { iss, exp, iat } = verdict.payload;
      if (iss !== organisation || exp <= seconds() || iat > seconds() + 60) return undefined;
      return verdict.payload;
    },
  };
}
