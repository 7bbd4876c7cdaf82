/**
 * `crypto/signer`: making signatures and certificates through the signing port. What it produces is checked by
 * `crypto/verify`; no private key passes this door except at its creation.
 */
export { keyIdOf } from '../primitives/key-id.ts';
export type { PrivateJwk } from '../primitives/port.ts';
export { signBatch } from './batch.ts';
export { createCertificateRequest, issueCertificate } from './certificate.ts';
export { signJws } from './jws.ts';
export { createSigningKey, signerFromCryptoKey, signerFromJwk } from './keys.ts';
export { signRequest } from './request.ts';
export type { PublicJwk, SignatureAlgorithm, Signer } from './signer.ts';
export { signSyncHello } from './sync-hello.ts';
