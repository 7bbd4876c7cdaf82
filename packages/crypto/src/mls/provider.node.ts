/**
 * MLS primitives on node:crypto, chosen by the "node" condition of `#mls-provider`. Keys are imported as JWK (OpenSSL's
 * DER decoder costs several times more) and public ones are kept in a small cache; secrets are never kept.
 */
import {
  createCipheriv,
  createDecipheriv,
  createECDH,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
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
const BLOCK_LENGTH = 64;
const DIGEST_LENGTH = 32;

export function createProvider(id: MlsSuite, random: RandomBytes = (length) => plain(randomBytes(length))): MlsCrypto {
  const { curve, signature } = SUITES[id];
  const agreementKey = createKeyCache(CACHED_KEYS, (bytes) => createPublicKey(jwk(curve, bytes)));
  const verificationKey = createKeyCache(CACHED_KEYS, (bytes) =>
    createPublicKey(jwk(signature === 'ES256' ? 'P-256' : 'Ed25519', bytes)),
  );
  return createSuite(id, {
    random,
    hash: async (data) => plain(hash('sha256', data, 'buffer')),
    hmac: async (key, data) => hmac(key, data),
    // A KeyObject for each key: given bytes, Node 24 first throws and catches its way through two type checks.
    encrypt: async (key, nonce, aad, plaintext) => {
      const cipher = createCipheriv('aes-128-gcm', createSecretKey(key), nonce).setAAD(aad);
      const sealed = new Uint8Array(plaintext.length + TAG_LENGTH);
      sealed.set(cipher.update(plaintext));
      cipher.final();
      sealed.set(cipher.getAuthTag(), plaintext.length);
      return sealed;
    },
    decrypt: async (key, nonce, aad, ciphertext) => {
      const end = ciphertext.length - TAG_LENGTH;
      if (end < 0) throw new RangeError('AES-GCM: shorter than its tag');
      const decipher = createDecipheriv('aes-128-gcm', createSecretKey(key), nonce, { authTagLength: TAG_LENGTH });
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
    verify: async (publicKey, message, signed) => {
      try {
        return verify(signature === 'EdDSA' ? null : 'sha256', message, verificationKey(publicKey), signed);
      } catch {
        return false;
      }
    },
  });
}

/**
 * HMAC-SHA256 (RFC 2104 section 2) of two one-shot hashes: on Node 24 five times as fast as `createHmac`, and MLS asks
 * for five of them per message. A key is a secret, so the padded copies are wiped.
 */
function hmac(key: Uint8Array, data: Uint8Array): Uint8Array {
  const short = key.length > BLOCK_LENGTH ? hash('sha256', key, 'buffer') : key;
  const inner = new Uint8Array(BLOCK_LENGTH + data.length).fill(0x36, 0, BLOCK_LENGTH);
  const outer = new Uint8Array(BLOCK_LENGTH + DIGEST_LENGTH).fill(0x5c, 0, BLOCK_LENGTH);
  for (const [at, byte] of short.entries()) {
    inner[at] = byte ^ 0x36;
    outer[at] = byte ^ 0x5c;
  }
  inner.set(data, BLOCK_LENGTH);
  outer.set(hash('sha256', inner, 'buffer'), BLOCK_LENGTH);
  const mac = plain(hash('sha256', outer, 'buffer'));
  inner.fill(0);
  outer.fill(0);
  return mac;
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
