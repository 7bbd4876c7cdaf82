/**
 * The dispatch key: P-256 for HPKE, named by the RFC 7638 thumbprint of its public half. The private JWK goes to the
 * dispatcher's key provider and nowhere else; this module neither reads nor writes files.
 */

import { type KeyId, toBase64url } from '@sealpost/protocol';
import { generatePrivateJwk, importAgreementKey } from '#primitives';
import { thumbprint } from '../primitives/key-id.ts';
import type { AgreementKey, PrivateJwk } from '../primitives/port.ts';

export interface DispatchKey {
  readonly id: KeyId;
  /** Uncompressed point, base64url, as the trust file carries it. */
  readonly publicKey: string;
  readonly agreement: AgreementKey;
}

export async function createDispatchKey(): Promise<{ readonly key: DispatchKey; readonly privateJwk: PrivateJwk }> {
  const privateJwk = await generatePrivateJwk('ES256');
  return { key: await importDispatchKey(privateJwk), privateJwk };
}

/** Throws TypeError on a JWK that is not a P-256 private key. */
export async function importDispatchKey(privateJwk: PrivateJwk): Promise<DispatchKey> {
  const agreement = await importAgreementKey(privateJwk);
  return { id: thumbprint(privateJwk), publicKey: toBase64url(agreement.publicKey), agreement };
}
