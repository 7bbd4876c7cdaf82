/**
 * Software signers: from a private JWK (the file provider) or from a WebCrypto key that may be non-extractable (a
 * browser device). Other providers implement the port themselves.
 */
import { generatePrivateJwk, importSigningKey } from '#primitives';
import { algorithmOf, publicHalf } from '../primitives/jwk.ts';
import { keyIdOf } from '../primitives/key-id.ts';
import type { PrivateJwk, SignBytes } from '../primitives/port.ts';
import type { PublicJwk, SignatureAlgorithm, Signer } from './signer.ts';

async function signerOver(jwk: PublicJwk, sign: SignBytes): Promise<Signer> {
  const publicJwk = publicHalf(jwk);
  return { algorithm: algorithmOf(publicJwk), keyId: await keyIdOf(publicJwk), publicJwk, sign };
}

/** The caller stores `privateJwk` encrypted, or forgets it. */
export async function createSigningKey(
  algorithm: SignatureAlgorithm,
): Promise<{ readonly signer: Signer; readonly privateJwk: PrivateJwk }> {
  const privateJwk = await generatePrivateJwk(algorithm);
  return { signer: await signerFromJwk(privateJwk), privateJwk };
}

/** Throws on a JWK that is not a private key of a supported curve. */
export async function signerFromJwk(privateJwk: PrivateJwk): Promise<Signer> {
  return signerOver(privateJwk, await importSigningKey(privateJwk));
}

export function signerFromCryptoKey(privateKey: CryptoKey, publicJwk: PublicJwk): Promise<Signer> {
  const parameters = algorithmOf(publicJwk) === 'ES256' ? { name: 'ECDSA', hash: 'SHA-256' } : { name: 'Ed25519' };
  return signerOver(
    publicJwk,
    async (bytes) => new Uint8Array(await crypto.subtle.sign(parameters, privateKey, new Uint8Array(bytes))),
  );
}
