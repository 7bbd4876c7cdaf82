/**
 * Primitives over WebCrypto, for browsers (and, in tests, for Node). Hashes come from noble because WebCrypto has no
 * synchronous one; imported public keys are cached, since an import costs as much as a verification.
 */
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import type { PublicJwk, SignatureAlgorithm } from '../signer/signer.ts';
import { hpkeOver } from './hpke.ts';
import { algorithmOf, cacheKey, jwkOfPoint, publicHalf, rawPublicKey } from './jwk.ts';
import { leastRecent } from './least-recent.ts';
import type { AgreementKey, Primitives } from './port.ts';

const SIGNATURE_LENGTH = 64;
const TAG_LENGTH = 16;

const isPlain = (bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> => bytes.buffer instanceof ArrayBuffer;
/** WebCrypto refuses views of shared memory. */
const own = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => (isPlain(bytes) ? bytes : new Uint8Array(bytes));

const importParameters = (algorithm: SignatureAlgorithm) =>
  algorithm === 'ES256' ? { name: 'ECDSA', namedCurve: 'P-256' } : { name: 'Ed25519' };
const signParameters = (algorithm: SignatureAlgorithm) =>
  algorithm === 'ES256' ? { name: 'ECDSA', hash: 'SHA-256' } : { name: 'Ed25519' };

export const sha256: Primitives['sha256'] = (bytes) => nobleSha256(bytes);

export const hmacSha256: Primitives['hmacSha256'] = (key, bytes) => hmac(nobleSha256, key, bytes);

export const randomBytes: Primitives['randomBytes'] = (length) => crypto.getRandomValues(new Uint8Array(length));

export const sealAesGcm: Primitives['sealAesGcm'] = async ({ key, nonce, additionalData, plaintext }) => {
  const aes = await crypto.subtle.importKey('raw', own(key), 'AES-GCM', false, ['encrypt']);
  const parameters = { name: 'AES-GCM', iv: own(nonce), additionalData: own(additionalData) };
  return new Uint8Array(await crypto.subtle.encrypt(parameters, aes, own(plaintext)));
};

export const openAesGcm: Primitives['openAesGcm'] = async ({ key, nonce, additionalData, ciphertext }) => {
  if (ciphertext.length < TAG_LENGTH) return undefined;
  const aes = await crypto.subtle.importKey('raw', own(key), 'AES-GCM', false, ['decrypt']);
  const parameters = { name: 'AES-GCM', iv: own(nonce), additionalData: own(additionalData) };
  try {
    return new Uint8Array(await crypto.subtle.decrypt(parameters, aes, own(ciphertext)));
  } catch {
    return undefined;
  }
};

const publicKeys = leastRecent<CryptoKey>(1024);

async function importPublicKey(jwk: PublicJwk): Promise<CryptoKey | undefined> {
  const name = cacheKey(jwk);
  const known = publicKeys.get(name);
  if (known !== undefined) return known;
  if (rawPublicKey(jwk) === undefined) return undefined;
  try {
    const key = await crypto.subtle.importKey('jwk', publicHalf(jwk), importParameters(algorithmOf(jwk)), false, [
      'verify',
    ]);
    publicKeys.set(name, key);
    return key;
  } catch {
    return undefined;
  }
}

export const verifySignature: Primitives['verifySignature'] = async (jwk, bytes, signature) => {
  const key = signature.length === SIGNATURE_LENGTH ? await importPublicKey(jwk) : undefined;
  if (key === undefined) return false;
  return crypto.subtle.verify(signParameters(algorithmOf(jwk)), key, own(signature), own(bytes));
};

export const generatePrivateJwk: Primitives['generatePrivateJwk'] = async (algorithm) => {
  const pair = await crypto.subtle.generateKey(importParameters(algorithm), true, ['sign', 'verify']);
  if (!('privateKey' in pair)) throw new TypeError('WebCrypto answered a single key for a signature algorithm');
  const { x = '', y = '', d = '' } = await crypto.subtle.exportKey('jwk', pair.privateKey);
  return algorithm === 'EdDSA' ? { crv: 'Ed25519', kty: 'OKP', x, d } : { crv: 'P-256', kty: 'EC', x, y, d };
};

export const importSigningKey: Primitives['importSigningKey'] = async (jwk) => {
  const algorithm = algorithmOf(jwk);
  const key = await crypto.subtle.importKey('jwk', { ...jwk }, importParameters(algorithm), false, ['sign']);
  return async (bytes) => new Uint8Array(await crypto.subtle.sign(signParameters(algorithm), key, own(bytes)));
};

const ECDH = { name: 'ECDH', namedCurve: 'P-256' };

function agreementKey(privateKey: CryptoKey, publicKey: Uint8Array): AgreementKey {
  return {
    publicKey,
    async agree(peer) {
      if (jwkOfPoint(peer) === undefined) return undefined;
      try {
        const point = await crypto.subtle.importKey('raw', own(peer), ECDH, false, []);
        return new Uint8Array(await crypto.subtle.deriveBits({ name: 'ECDH', public: point }, privateKey, 256));
      } catch {
        return undefined;
      }
    },
  };
}

export const generateAgreementKey: Primitives['generateAgreementKey'] = async () => {
  const pair = await crypto.subtle.generateKey(ECDH, false, ['deriveBits']);
  return agreementKey(pair.privateKey, new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey)));
};

export const importAgreementKey: Primitives['importAgreementKey'] = async (jwk) => {
  const point = rawPublicKey(jwk);
  if (jwk.crv !== 'P-256' || point === undefined) throw new TypeError('an agreement key is a P-256 private JWK');
  try {
    return agreementKey(await crypto.subtle.importKey('jwk', { ...jwk }, ECDH, false, ['deriveBits']), point);
  } catch (cause) {
    throw new TypeError('the private JWK does not belong to its public half', { cause });
  }
};

export const { sealHpke, openHpke } = hpkeOver({ hmacSha256, sealAesGcm, openAesGcm, generateAgreementKey });
