/**
 * MLS primitives on WebCrypto, chosen outside Node by `#mls-provider`; it runs in Node too, so the same tests tie both.
 * Public keys are cached by value; HMAC keys only as long as the bytes they were made from live.
 */
import { concatBytes, fromBase64url } from '@sealpost/protocol';
import { createSuite } from './create-suite.ts';
import { signatureFromDer } from './der.ts';
import { createKeyCache } from './key-cache.ts';
import { type MlsCrypto, type MlsSuite, type RandomBytes, SUITES } from './suite.ts';

const CACHED_KEYS = 2048;
const HMAC = { name: 'HMAC', hash: 'SHA-256' };
const ECDSA = { name: 'ECDSA', hash: 'SHA-256' };

/** PKCS #8 up to the private key octets (RFC 5958 with RFC 5915, and RFC 8410 section 7): WebCrypto takes no raw one. */
const PKCS8_P256 = Uint8Array.of(
  ...[0x30, 0x41, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08],
  ...[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04, 0x27, 0x30, 0x25, 0x02, 0x01, 0x01, 0x04, 0x20],
);
const PKCS8_X25519 = Uint8Array.of(
  0x30,
  0x2e,
  0x02,
  0x01,
  0x00,
  0x30,
  0x05,
  0x06,
  0x03,
  0x2b,
  0x65,
  0x6e,
  0x04,
  0x22,
  0x04,
  0x20,
);

export function createProvider(id: MlsSuite, random: RandomBytes = webRandom): MlsCrypto {
  const { curve, signature } = SUITES[id];
  const { subtle } = globalThis.crypto;
  const agreement = curve === 'P-256' ? { name: 'ECDH', namedCurve: 'P-256' } : { name: 'X25519' };
  const signing = signature === 'ES256' ? { name: 'ECDSA', namedCurve: 'P-256' } : { name: 'Ed25519' };
  const agreementKey = createKeyCache(CACHED_KEYS, (bytes) =>
    subtle.importKey('raw', owned(bytes), agreement, true, []),
  );
  const verificationKey = createKeyCache(CACHED_KEYS, (bytes) =>
    subtle.importKey('raw', owned(bytes), signing, true, ['verify']),
  );
  const macKeys = new WeakMap<Uint8Array, Promise<CryptoKey>>();

  function macKey(bytes: Uint8Array): Promise<CryptoKey> {
    const known = macKeys.get(bytes);
    if (known !== undefined) return known;
    const key = subtle.importKey('raw', owned(bytes), HMAC, false, ['sign']);
    macKeys.set(bytes, key);
    return key;
  }

  const privateKey = (bytes: Uint8Array) =>
    subtle.importKey('pkcs8', concatBytes(curve === 'P-256' ? PKCS8_P256 : PKCS8_X25519, bytes), agreement, true, [
      'deriveBits',
    ]);
  const aesKey = (bytes: Uint8Array, usage: 'encrypt' | 'decrypt') =>
    subtle.importKey('raw', owned(bytes), 'AES-GCM', false, [usage]);
  const gcm = (nonce: Uint8Array, aad: Uint8Array) => ({
    name: 'AES-GCM',
    iv: owned(nonce),
    additionalData: owned(aad),
  });

  return createSuite(id, {
    random,
    hash: async (data) => new Uint8Array(await subtle.digest('SHA-256', owned(data))),
    hmac: async (key, data) => new Uint8Array(await subtle.sign('HMAC', await macKey(key), owned(data))),
    encrypt: async (key, nonce, aad, plaintext) =>
      new Uint8Array(await subtle.encrypt(gcm(nonce, aad), await aesKey(key, 'encrypt'), owned(plaintext))),
    decrypt: async (key, nonce, aad, ciphertext) =>
      new Uint8Array(await subtle.decrypt(gcm(nonce, aad), await aesKey(key, 'decrypt'), owned(ciphertext))),
    publicKeyOf: async (bytes) => {
      const { x, y } = await subtle.exportKey('jwk', await privateKey(bytes));
      const [left, right] = [fromBase64url(x ?? ''), fromBase64url(y ?? '')];
      if (left?.length !== 32 || right === undefined) throw new TypeError('WebCrypto gave no public key');
      return curve === 'P-256' ? concatBytes(Uint8Array.of(4), left, right) : left;
    },
    agree: async (own, other) => {
      const algorithm = { name: agreement.name, public: await agreementKey(other) };
      return new Uint8Array(await subtle.deriveBits(algorithm, await privateKey(own), 256));
    },
    verify: async (publicKey, message, signed) => {
      try {
        const key = await verificationKey(publicKey);
        const raw = signature === 'ES256' ? signatureFromDer(signed) : signed;
        if (raw === undefined) return false;
        return await subtle.verify(signature === 'ES256' ? ECDSA : signing, key, owned(raw), owned(message));
      } catch {
        return false;
      }
    },
  });
}

function webRandom(length: number): Uint8Array {
  return globalThis.crypto.getRandomValues(new Uint8Array(length));
}

/** WebCrypto's types want bytes that are not shared between threads; a copy always is. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}
