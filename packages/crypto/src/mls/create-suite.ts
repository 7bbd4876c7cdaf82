/**
 * Puts a platform's primitives into the shape ts-mls calls a ciphersuite. Private signature keys never pass through it:
 * ts-mls hands back what it was given as "key", here the id of a `Signer`, and only the operation that was given that
 * signer can use it.
 */
import { equalBytes, fromBase64url, utf8 } from '@sealpost/protocol';
import type { PublicJwk, Signer } from '../signer/signer.ts';
import { signatureFromDer, signatureToDer } from './der.ts';
import { expand, extract, HASH_LENGTH } from './hkdf.ts';
import { createHpke } from './hpke.ts';
import { mlsError } from './mls-errors.ts';
import { type MlsCrypto, type MlsSuite, SUITES, type SuitePrimitives } from './suite.ts';

export function createSuite(id: MlsSuite, primitives: SuitePrimitives): MlsCrypto {
  const suite = SUITES[id];
  return {
    name: suite.name,
    hpke: createHpke(suite, primitives),
    kdf: {
      size: HASH_LENGTH,
      extract: (salt, ikm) => extract(primitives, salt, ikm),
      expand: (prk, info, length) => expand(primitives, prk, info, length),
    },
    hash: {
      digest: (data) => primitives.hash(data),
      mac: (key, data) => primitives.hmac(key, data),
      verifyMac: async (key, mac, data) => equalBytes(mac, await primitives.hmac(key, data)),
    },
    rng: { randomBytes: (length) => primitives.random(length) },
    signature: {
      /** A P-256 signature is ECDSA-Sig-Value in DER (RFC 9420 section 5.1.2); any other spelling is refused. */
      async verify(publicKey, message, signature) {
        const raw = suite.signature === 'ES256' ? signatureFromDer(signature) : signature;
        return raw?.length === 64 && (await primitives.verify(publicKey, message, signature));
      },
      sign: async () => Promise.reject(new TypeError('MLS: this operation was given no signer')),
      keygen: async () => Promise.reject(new TypeError('MLS: signature keys are made by a key provider')),
    },
  };
}

/** What ts-mls carries in place of a private signature key. */
export function signingHandle(signer: Signer): Uint8Array {
  return utf8(signer.keyId);
}

/** `crypto` for one operation that signs as `signer`. */
export function signingAs(crypto: MlsCrypto, signer: Signer): MlsCrypto {
  const handle = signingHandle(signer);
  const sign = async (key: Uint8Array, message: Uint8Array): Promise<Uint8Array> => {
    if (!equalBytes(key, handle)) throw mlsError('ERR_MLS_IDENTITY');
    const signature = await signer.sign(message);
    return signer.algorithm === 'ES256' ? signatureToDer(signature) : signature;
  };
  return { ...crypto, signature: { ...crypto.signature, sign } };
}

/** The public key in MLS form (RFC 9420 section 5.1.1): the uncompressed point, or the 32 bytes of Ed25519. */
export function signatureKey(jwk: PublicJwk): Uint8Array {
  const x = fromBase64url(jwk.x);
  const y = jwk.kty === 'EC' ? fromBase64url(jwk.y) : new Uint8Array();
  if (x?.length !== 32 || y === undefined || (jwk.kty === 'EC' && y.length !== 32)) throw mlsError('ERR_MLS_IDENTITY');
  return jwk.kty === 'EC' ? Uint8Array.of(4, ...x, ...y) : x;
}
