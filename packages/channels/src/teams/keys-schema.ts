/** The Bot Connector's published keys: the OpenID document that names them, and the set itself (RFC 7517). */
import type { JWK } from 'jose';
import { z } from 'zod';
import { jsonOf } from '../webhook-request.ts';

const documentSchema = z.object({ issuer: z.string().max(256), jwks_uri: z.url({ protocol: /^https?$/ }).max(2048) });
const keySchema = z.object({
  kty: z.literal('RSA'),
  kid: z.string().min(1).max(256),
  n: z.string().min(1).max(2048),
  e: z.string().min(1).max(16),
  /** The channels this key may sign for. */
  endorsements: z.array(z.string().max(64)).max(200).default([]),
});
const setSchema = z.object({ keys: z.array(z.unknown()).max(200) });

export interface ConnectorKey {
  readonly jwk: JWK;
  readonly kid: string;
  readonly endorsements: readonly string[];
}

export function parseDocument(body: string): z.infer<typeof documentSchema> | undefined {
  return documentSchema.safeParse(jsonOf(body)).data;
}

/** Keys in other forms are left out: new ones may come at any time. */
export function parseKeys(body: string): ConnectorKey[] | undefined {
  const set = setSchema.safeParse(jsonOf(body)).data;
  return set?.keys.flatMap((key) => {
    const parsed = keySchema.safeParse(key).data;
    if (parsed === undefined) return [];
    const { kty, kid, n, e, endorsements } = parsed;
    return [{ jwk: { kty, n, e, alg: 'RS256' }, kid, endorsements }];
  });
}
