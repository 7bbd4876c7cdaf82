/** The private half of what keys are wrapped to (P-256, HPKE), named by the RFC 7638 thumbprint of its public half. */
import { canonicalBytes, fromBase64url, type KeyId, toBase64url, utf8 } from '@sealpost/protocol';
import { generatePrivateJwk, importAgreementKey, openHpke } from '#primitives';
import { thumbprint } from '../primitives/key-id.ts';
import type { AgreementKey, PrivateJwk } from '../primitives/port.ts';
import type { WrapContext, WrappedKey } from '../seal/wrap-key.ts';

export interface UnwrappingKey {
  readonly id: KeyId;
  /** Uncompressed point, base64url. */
  readonly publicKey: string;
  readonly agreement: AgreementKey;
}

/** The caller keeps `privateJwk` where nobody else reads it. */
export async function createUnwrappingKey(): Promise<{
  readonly key: UnwrappingKey;
  readonly privateJwk: PrivateJwk;
}> {
  const privateJwk = await generatePrivateJwk('ES256');
  return { key: await importUnwrappingKey(privateJwk), privateJwk };
}

/** Throws TypeError on a JWK that is not a P-256 private key. */
export async function importUnwrappingKey(privateJwk: PrivateJwk): Promise<UnwrappingKey> {
  const agreement = await importAgreementKey(privateJwk);
  return { id: thumbprint(privateJwk), publicKey: toBase64url(agreement.publicKey), agreement };
}

/** `undefined` when it was wrapped to another key or for another thing, or changed since. */
export async function unwrapKey(
  wrapped: WrappedKey,
  key: UnwrappingKey,
  { purpose, binding }: WrapContext,
): Promise<Uint8Array | undefined> {
  const [encapsulated, ciphertext] = [fromBase64url(wrapped.encapsulated), fromBase64url(wrapped.ciphertext)];
  if (encapsulated === undefined || ciphertext === undefined) return undefined;
  const additionalData = canonicalBytes(binding);
  return openHpke({ key: key.agreement, encapsulated, info: utf8(purpose), additionalData, ciphertext });
}
