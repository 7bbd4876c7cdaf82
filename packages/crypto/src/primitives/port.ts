/**
 * The primitives every door stands on, chosen per platform by the import condition `#primitives`. Hashes are synchronous
 * on both sides; what WebCrypto only offers asynchronously is asynchronous on both. Keys travel as JWK: OpenSSL's DER
 * decoder costs ten times as much.
 */
import type { PublicJwk, SignatureAlgorithm } from '../signer/signer.ts';

/** A private key as JWK (RFC 7517, RFC 8037); `d` is base64url of 32 bytes. */
export type PrivateJwk = PublicJwk & { readonly d: string };

/** Signs bytes: 64 bytes out, RFC 8032 or IEEE P1363. */
export type SignBytes = (bytes: Uint8Array) => Promise<Uint8Array>;

export interface AesGcmInput {
  /** 16 or 32 bytes. */
  readonly key: Uint8Array;
  /** 12 bytes, never used twice under one key. */
  readonly nonce: Uint8Array;
  readonly additionalData: Uint8Array;
}

/** One P-256 key agreement key; `agree` answers the x coordinate, or `undefined` for a peer point not on the curve. */
export interface AgreementKey {
  /** SEC 1 uncompressed point, 65 bytes. */
  readonly publicKey: Uint8Array;
  agree(peer: Uint8Array): Promise<Uint8Array | undefined>;
}

export interface HpkeSealInput {
  readonly publicKey: Uint8Array;
  readonly info: Uint8Array;
  readonly additionalData: Uint8Array;
  readonly plaintext: Uint8Array;
  /** For recorded vectors only: an ephemeral key used twice reveals both plaintexts. */
  readonly unsafeEphemeral?: AgreementKey;
}

export interface HpkeOpenInput {
  readonly key: AgreementKey;
  readonly encapsulated: Uint8Array;
  readonly info: Uint8Array;
  readonly additionalData: Uint8Array;
  readonly ciphertext: Uint8Array;
}

export interface Primitives {
  sha256(bytes: Uint8Array): Uint8Array;
  hmacSha256(key: Uint8Array, bytes: Uint8Array): Uint8Array;
  randomBytes(length: number): Uint8Array;
  /** Ciphertext followed by the 16-byte tag. */
  sealAesGcm(input: AesGcmInput & { readonly plaintext: Uint8Array }): Promise<Uint8Array>;
  /** Answers `undefined` when the tag does not match. */
  openAesGcm(input: AesGcmInput & { readonly ciphertext: Uint8Array }): Promise<Uint8Array | undefined>;
  /** False for a wrong signature, a key that is no key and a signature of another length. */
  verifySignature(key: PublicJwk, bytes: Uint8Array, signature: Uint8Array): Promise<boolean>;
  /** A fresh private key, on P-256 for ES256. */
  generatePrivateJwk(algorithm: SignatureAlgorithm): Promise<PrivateJwk>;
  importSigningKey(key: PrivateJwk): Promise<SignBytes>;
  generateAgreementKey(): Promise<AgreementKey>;
  /** Throws TypeError on a key that is not P-256. */
  importAgreementKey(key: PrivateJwk): Promise<AgreementKey>;
}
