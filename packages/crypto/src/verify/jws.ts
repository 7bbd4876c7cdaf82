/**
 * Verifying signed statements (compact JWS, RFC 7515 section 5.2). The checks that make a statement have one spelling
 * come first: canonical base64url, canonical JSON, nothing in the header that changes meaning; the signature is `jose`'s.
 */
import { canonicalJson, fromBase64url, fromUtf8, type KeyId, keyIdSchema } from '@sealpost/protocol';
import { compactVerify } from 'jose';
import { algorithmOf, cacheKey, publicHalf, rawPublicKey } from '../primitives/jwk.ts';
import { thumbprint } from '../primitives/key-id.ts';
import { leastRecent } from '../primitives/least-recent.ts';
import type { PublicJwk } from '../signer/signer.ts';

/** What of a zod schema is needed here. */
export interface PayloadSchema<T> {
  safeParse(
    value: unknown,
  ): { readonly success: true; readonly data: T } | { readonly success: false; readonly error?: unknown };
}

export interface JwsExpectation<T> {
  readonly typ: string;
  readonly schema: PayloadSchema<T>;
  /** One key, or a lookup by the header's `kid` that answers `undefined` for a key that may not sign this. */
  readonly key?: PublicJwk;
  readonly keys?: (keyId: KeyId) => PublicJwk | undefined;
  /** `any` takes JSON written by other makers' libraries; `canonical`, the default, is the form `signJws` gives. */
  readonly json?: 'canonical' | 'any';
}

type Refusal =
  | 'malformed'
  | 'not-canonical'
  | 'typ'
  | 'unknown-key'
  | 'algorithm'
  | 'critical'
  | 'signature'
  | 'payload';

export type JwsVerdict<T> =
  | {
      readonly kind: 'ok';
      readonly payload: T;
      readonly keyId: KeyId;
      readonly header: Readonly<Record<string, unknown>>;
    }
  | { readonly kind: 'refused'; readonly reason: Refusal };

const refused = (reason: Refusal) => ({ kind: 'refused', reason }) as const;

/** Members of the header that would change which bytes or which key are meant (RFC 7515 section 4.1, RFC 7797). */
const DANGEROUS = ['crit', 'b64', 'jwk', 'jku', 'x5u', 'x5c'];

/** jose caches its import by object identity and freezes the object: give it one copy a key. */
const verificationKeys = leastRecent<PublicJwk>(1024);

function verificationKey(jwk: PublicJwk): PublicJwk {
  const known = verificationKeys.get(cacheKey(jwk)) ?? publicHalf(jwk);
  verificationKeys.set(cacheKey(jwk), known);
  return known;
}

function jsonOf(part: string, form: 'canonical' | 'any'): { readonly value: unknown } | 'malformed' | 'not-canonical' {
  const bytes = fromBase64url(part);
  if (bytes === undefined) return 'not-canonical';
  try {
    const text = fromUtf8(bytes);
    const value: unknown = JSON.parse(text);
    return form === 'canonical' && canonicalJson(value) !== text ? 'not-canonical' : { value };
  } catch {
    return 'malformed';
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export async function verifyJws<T>(jws: string, expected: JwsExpectation<T>): Promise<JwsVerdict<T>> {
  const form = expected.json ?? 'canonical';
  const parts = jws.split('.');
  const [headerPart, payloadPart, signaturePart] = parts;
  if (parts.length !== 3 || headerPart === undefined || payloadPart === undefined || signaturePart === undefined) {
    return refused('malformed');
  }
  const [header, payload] = [jsonOf(headerPart, form), jsonOf(payloadPart, form)];
  if (typeof header === 'string') return refused(header);
  if (typeof payload === 'string') return refused(payload);
  if (fromBase64url(signaturePart) === undefined) return refused('not-canonical');
  const members = header.value;
  if (!isRecord(members)) return refused('malformed');
  if (DANGEROUS.some((name) => name in members)) return refused('critical');
  const { typ, kid, alg } = members;
  if (typ !== expected.typ) return refused('typ');
  const key = keyFor(kid, expected);
  if (key === undefined) return refused('unknown-key');
  if (alg !== algorithmOf(key)) return refused('algorithm');
  if (!(await signatureHolds(jws, key))) return refused('signature');
  const parsed = expected.schema.safeParse(payload.value);
  if (!parsed.success) return refused('payload');
  return { kind: 'ok', payload: parsed.data, keyId: thumbprint(key), header: members };
}

/** `kid` must be the thumbprint of the key that verifies: a statement cannot claim another signer. */
function keyFor<T>(kid: unknown, { key, keys }: JwsExpectation<T>): PublicJwk | undefined {
  const named = keyIdSchema.safeParse(kid);
  if (!named.success) return undefined;
  const found = key ?? keys?.(named.data);
  if (found === undefined || rawPublicKey(found) === undefined) return undefined;
  return named.data === thumbprint(found) ? found : undefined;
}

async function signatureHolds(jws: string, key: PublicJwk): Promise<boolean> {
  try {
    await compactVerify(jws, verificationKey(key), { algorithms: [algorithmOf(key)] });
    return true;
  } catch {
    return false;
  }
}
