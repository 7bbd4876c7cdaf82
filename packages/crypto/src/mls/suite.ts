/**
 * The two ciphersuites of RFC 9420 section 17.1 that Sealpost speaks, and what a platform must provide for them. Both
 * use HKDF-SHA256 and AES-128-GCM; they differ in the curve. Composition (HPKE, labels) is shared, primitives are not.
 */
import type { CiphersuiteImpl, CiphersuiteName } from 'ts-mls';
import type { SignatureAlgorithm } from '../signer/signer.ts';

export type MlsSuite = 1 | 2;
export type MlsCrypto = CiphersuiteImpl;

/** Fresh unpredictable bytes. */
export type RandomBytes = (length: number) => Uint8Array;

export interface SuiteRow {
  readonly name: CiphersuiteName;
  /** RFC 9180 section 7.1. */
  readonly kem: 0x0010 | 0x0020;
  readonly curve: 'P-256' | 'X25519';
  readonly publicKeyLength: 65 | 32;
  readonly signature: SignatureAlgorithm;
}

export const SUITES: Readonly<Record<MlsSuite, SuiteRow>> = {
  1: {
    name: 'MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519',
    kem: 0x0020,
    curve: 'X25519',
    publicKeyLength: 32,
    signature: 'EdDSA',
  },
  2: {
    name: 'MLS_128_DHKEMP256_AES128GCM_SHA256_P256',
    kem: 0x0010,
    curve: 'P-256',
    publicKeyLength: 65,
    signature: 'ES256',
  },
};

/** What node:crypto or WebCrypto does for a suite; keys and secrets are raw bytes (RFC 9180 section 7.1.1). */
export interface SuitePrimitives {
  random: RandomBytes;
  hash(data: Uint8Array): Promise<Uint8Array>;
  hmac(key: Uint8Array, data: Uint8Array): Promise<Uint8Array>;
  /** AES-128-GCM, the tag appended (RFC 5116 section 5.1). */
  encrypt(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Promise<Uint8Array>;
  /** Throws when the tag does not match. */
  decrypt(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array): Promise<Uint8Array>;
  /** Throws on a scalar the curve refuses. */
  publicKeyOf(privateKey: Uint8Array): Promise<Uint8Array>;
  /** Throws on a point that is not on the curve. */
  agree(privateKey: Uint8Array, publicKey: Uint8Array): Promise<Uint8Array>;
  /** `signature` in MLS form, its form already checked. False for a bad key or signature; never throws. */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean>;
}
