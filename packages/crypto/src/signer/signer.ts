/**
 * The signing port: a key that signs and never leaves where it lives (file, PKCS#11, WebCrypto, cloud KMS). Everything
 * that signs in Sealpost takes this and nothing closer to the key.
 */
import type { KeyId } from '@sealpost/protocol';

/** Ed25519 (RFC 8032) as JOSE `EdDSA`; ECDSA P-256 with SHA-256 as `ES256`. */
export type SignatureAlgorithm = 'EdDSA' | 'ES256';

/** The public half as a JWK (RFC 7517), members in RFC 7638 order and nothing else. */
export type PublicJwk =
  | { readonly crv: 'Ed25519'; readonly kty: 'OKP'; readonly x: string }
  | { readonly crv: 'P-256'; readonly kty: 'EC'; readonly x: string; readonly y: string };

export interface Signer {
  readonly algorithm: SignatureAlgorithm;
  /** RFC 7638 thumbprint of `publicJwk`. */
  readonly keyId: KeyId;
  readonly publicJwk: PublicJwk;
  /** 64 bytes: RFC 8032 for Ed25519, r||s (IEEE P1363) for ES256. */
  sign(bytes: Uint8Array): Promise<Uint8Array>;
}
