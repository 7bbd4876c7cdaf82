/**
 * MLS primitives on node:crypto, chosen by the "node" condition of `#mls-provider`. Keys are imported as JWK (OpenSSL's
 * DER decoder costs several times more) and public ones are kept in a small cache; secrets are never kept.
 */
import {
  createCipheriv,
  createDecipheriv,
  createECDH,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hash,
  type JsonWebKeyInput,
  type KeyObject,
  randomBytes,
  verify,
} from 'node:crypto';
import { toBase64url } from '@sealpost/protocol';
import { createSuite } from './create-suite.ts';
import { createKeyCache } from './key-cache.ts';
import { type MlsCrypto, type MlsSuite, type RandomBytes, SUITES } from './suite.ts';

const CACHED_KEYS = 2048;
const TAG_LENGTH = 16;

export function createProvider(id: MlsSuite, random: RandomBytes = (length) => plain(randomBytes(length))): MlsCrypto {
  const { curve, signature } = SUITES[id];
  const agreementKey = createKeyCache(CACHED_KEYS, (bytes) => createPublicKey(jwk(curve, bytes)));
  const verificationKey = createKeyCache(CACHED_KEYS, (bytes) =>
    createPublicKey(jwk(signature === 'ES256' ? 'P-256' : 'Ed25519', bytes)),
  );
  return createSuite(id, {
    random,
    hash: async (data) => plain(hash('sha256', data, 'buffer')),
    hmac: async (key, data) => plain(createHmac('sha256', key).update(data).digest()),
    encrypt: async (key, nonce, aad, plaintext) => {
      const cipher = createCipheriv('aes-128-gcm', key, nonce).setAAD(aad);
      const sealed = new Uint8Array(plaintext.length + TAG_LENGTH);
      sealed.set(cipher.update(plaintext));
      cipher.final();
      sealed.set(cipher.getAuthTag(), plaintext.length);
      return sealed;
    },
    decrypt: async (key, nonce, aad, ciphertext) => {
      const end = ciphertext.length - TAG_LENGTH;
      if (end < 0) throw new RangeError('AES-GCM: shorter than its tag');
      const decipher = createDecipheriv('aes-128-gcm', key, nonce, { authTagLength: TAG_LENGTH });
      decipher.setAAD(aad).setAuthTag(ciphertext.subarray(end));
      const opened = decipher.update(ciphertext.subarray(0, end));
      decipher.final();
      return plain(opened);
    },
    publicKeyOf: async (privateKey) => publicKeyOf(curve, privateKey),
    agree: async (privateKey, publicKey) => {
      const own = curve === 'P-256' ? publicKeyOf(curve, privateKey) : publicKey;
      return plain(
        diffieHellman({
          privateKey: createPrivateKey(jwk(curve, own, privateKey)),
          publicKey: agreementKey(publicKey),
        }),
      );
    },
    verify: async (publicKey, message, raw) => {
      try {
        const key = verificationKey(publicKey);
        if (signature === 'EdDSA') return verify(null, message, key, raw);
        return verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, raw);
      } catch {
        return false;
      }
    },
  });
}

/** A Buffer's bytes as a plain array, so that no caller depends on Buffer. */
function plain(buffer: Uint8Array): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

/** Without `privateKey` a public JWK. OpenSSL ignores `x` of a private X25519 key, so any value does. */
function jwk(curve: 'P-256' | 'X25519' | 'Ed25519', publicKey: Uint8Array, privateKey?: Uint8Array): JsonWebKeyInput {
  const secret = privateKey === undefined ? {} : { d: toBase64url(privateKey) };
  if (curve !== 'P-256') {
    if (publicKey.length !== 32) throw new TypeError('a key of this curve has 32 bytes');
    return { format: 'jwk', key: { kty: 'OKP', crv: curve, x: toBase64url(publicKey), ...secret } };
  }
  if (publicKey.length !== 65 || publicKey[0] !== 4) throw new TypeError('a P-256 key is an uncompressed point');
  const [x, y] = [toBase64url(publicKey.subarray(1, 33)), toBase64url(publicKey.subarray(33))];
  return { format: 'jwk', key: { kty: 'EC', crv: 'P-256', x, y, ...secret } };
}

function publicKeyOf(curve: 'P-256' | 'X25519', privateKey: Uint8Array): Uint8Array {
  if (curve === 'P-256') {
    const ecdh = createECDH('prime256v1');
    ecdh.setPrivateKey(privateKey);
    return plain(ecdh.getPublicKey());
  }
  return rawX25519(createPublicKey(createPrivateKey(jwk(curve, privateKey, privateKey))));
}

function rawX25519(key: KeyObject): Uint8Array {
  return new Uint8Array(key.export({ type: 'spki', format: 'der' }).subarray(-32));
}
