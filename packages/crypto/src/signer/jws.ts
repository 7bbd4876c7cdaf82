/**
 * Signed statements as compact JWS (RFC 7515 section 3.1), header and payload in canonical JSON so that one statement
 * has one spelling. `jose` signs only with keys it holds, hence this composition; `crypto/verify` checks it with `jose`.
 */
import { canonicalBytes, toBase64url, utf8 } from '@sealpost/protocol';
import type { Signer } from './signer.ts';

const RESERVED = ['alg', 'kid', 'typ', 'crit', 'b64'];

export async function signJws(
  typ: string,
  payload: unknown,
  signer: Signer,
  extraHeader: Readonly<Record<string, string>> = {},
): Promise<string> {
  if (RESERVED.some((name) => name in extraHeader)) throw new TypeError('this header member is set by signJws alone');
  const header = { ...extraHeader, alg: signer.algorithm, kid: signer.keyId, typ };
  const signingInput = `${toBase64url(canonicalBytes(header))}.${toBase64url(canonicalBytes(payload))}`;
  return `${signingInput}.${toBase64url(await signer.sign(utf8(signingInput)))}`;
}
