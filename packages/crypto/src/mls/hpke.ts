/**
 * HPKE base mode, single shot (RFC 9180), for DHKEM(P-256 or X25519, HKDF-SHA256), HKDF-SHA256 and AES-128-GCM, composed
 * from a platform's primitives in the shape ts-mls asks for. Key handles are opaque to everybody else: their bytes are
 * found here only.
 */
import { concatBytes, utf8 } from '@sealpost/protocol';
import type { Hpke } from 'ts-mls/crypto/hpke.js';
import { expand, extract } from './hkdf.ts';
import type { SuitePrimitives, SuiteRow } from './suite.ts';

const KDF_HKDF_SHA256 = 0x0001;
const AEAD_AES_128_GCM = 0x0001;
const KEY_LENGTH = 16;
const NONCE_LENGTH = 12;
const SECRET_LENGTH = 32;
const EMPTY = new Uint8Array();
const VERSION = utf8('HPKE-v1');
/** Order of P-256 (SP 800-186 section 3.2.1.3). */
const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

interface Handle<Type extends 'public' | 'private'> {
  readonly type: Type;
  readonly algorithm: { readonly name: string };
  readonly extractable: boolean;
  readonly usages: [];
}

export function createHpke(suite: SuiteRow, primitives: SuitePrimitives): Hpke {
  const bytesOf = new WeakMap<object, Uint8Array>();
  const kemId = concatBytes(utf8('KEM'), uint16(suite.kem));
  const hpkeId = concatBytes(utf8('HPKE'), uint16(suite.kem), uint16(KDF_HKDF_SHA256), uint16(AEAD_AES_128_GCM));

  function handle<Type extends 'public' | 'private'>(type: Type, bytes: Uint8Array): Handle<Type> {
    const key: Handle<Type> = { type, algorithm: { name: suite.curve }, extractable: true, usages: [] };
    bytesOf.set(key, bytes);
    return key;
  }

  function raw(key: object): Uint8Array {
    const bytes = bytesOf.get(key);
    if (bytes === undefined) throw new TypeError('HPKE: a key of another provider');
    return bytes;
  }

  /** RFC 9180 section 4. */
  const labeledExtract = (id: Uint8Array, salt: Uint8Array, label: string, ikm: Uint8Array) =>
    extract(primitives, salt, concatBytes(VERSION, id, utf8(label), ikm));
  const labeledExpand = (id: Uint8Array, prk: Uint8Array, label: string, info: Uint8Array, length: number) =>
    expand(primitives, prk, concatBytes(uint16(length), VERSION, id, utf8(label), info), length);

  /** RFC 9180 section 7.1.3, with rejection sampling for P-256. */
  async function derivePrivateKey(ikm: Uint8Array): Promise<Uint8Array> {
    const prk = await labeledExtract(kemId, EMPTY, 'dkp_prk', ikm);
    if (suite.curve === 'X25519') return labeledExpand(kemId, prk, 'sk', EMPTY, SECRET_LENGTH);
    for (let counter = 0; counter < 256; counter++) {
      const candidate = await labeledExpand(kemId, prk, 'candidate', Uint8Array.of(counter), SECRET_LENGTH);
      if (isScalar(candidate)) return candidate;
    }
    throw new Error('HPKE: DeriveKeyPairError (RFC 9180 section 7.1.3)');
  }

  async function deriveKeyPair(ikm: Uint8Array) {
    const privateKey = await derivePrivateKey(ikm);
    const publicKey = await primitives.publicKeyOf(privateKey);
    return { privateKey: handle('private', privateKey), publicKey: handle('public', publicKey) };
  }

  /** RFC 9180 section 4.1, ExtractAndExpand. */
  async function sharedSecret(dh: Uint8Array, kemContext: Uint8Array): Promise<Uint8Array> {
    if (dh.every((byte) => byte === 0)) throw new Error('HPKE: the shared secret is zero (RFC 9180 section 7.1.4)');
    const prk = await labeledExtract(kemId, EMPTY, 'eae_prk', dh);
    return labeledExpand(kemId, prk, 'shared_secret', kemContext, SECRET_LENGTH);
  }

  async function encapsulate(recipient: Uint8Array) {
    const ephemeral = await derivePrivateKey(primitives.random(SECRET_LENGTH));
    const enc = await primitives.publicKeyOf(ephemeral);
    const dh = await primitives.agree(ephemeral, recipient);
    return { enc, secret: await sharedSecret(dh, concatBytes(enc, recipient)) };
  }

  async function decapsulate(privateKey: Uint8Array, enc: Uint8Array): Promise<Uint8Array> {
    const dh = await primitives.agree(privateKey, enc);
    return sharedSecret(dh, concatBytes(enc, await primitives.publicKeyOf(privateKey)));
  }

  /** RFC 9180 section 5.1, mode_base: psk and psk_id are empty. */
  async function schedule(secret: Uint8Array, info: Uint8Array) {
    const pskIdHash = await labeledExtract(hpkeId, EMPTY, 'psk_id_hash', EMPTY);
    const infoHash = await labeledExtract(hpkeId, EMPTY, 'info_hash', info);
    const context = concatBytes(Uint8Array.of(0), pskIdHash, infoHash);
    const prk = await labeledExtract(hpkeId, secret, 'secret', EMPTY);
    const of = (label: string, length: number) => labeledExpand(hpkeId, prk, label, context, length);
    return {
      key: () => of('key', KEY_LENGTH),
      nonce: () => of('base_nonce', NONCE_LENGTH),
      exported: async (exporterContext: Uint8Array, length: number) =>
        labeledExpand(hpkeId, await of('exp', SECRET_LENGTH), 'sec', exporterContext, length),
    };
  }

  return {
    keyLength: KEY_LENGTH,
    nonceLength: NONCE_LENGTH,
    async seal(publicKey, plaintext, info, aad = EMPTY) {
      const { enc, secret } = await encapsulate(raw(publicKey));
      const context = await schedule(secret, info);
      return { enc, ct: await primitives.encrypt(await context.key(), await context.nonce(), aad, plaintext) };
    },
    async open(privateKey, enc, ciphertext, info, aad = EMPTY) {
      const context = await schedule(await decapsulate(raw(privateKey), enc), info);
      return primitives.decrypt(await context.key(), await context.nonce(), aad, ciphertext);
    },
    async exportSecret(publicKey, exporterContext, length, info) {
      const { enc, secret } = await encapsulate(raw(publicKey));
      return { enc, secret: await (await schedule(secret, info)).exported(exporterContext, length) };
    },
    async importSecret(privateKey, exporterContext, enc, length, info) {
      return (await schedule(await decapsulate(raw(privateKey), enc), info)).exported(exporterContext, length);
    },
    async importPrivateKey(bytes) {
      if (bytes.length !== SECRET_LENGTH) throw new TypeError('HPKE: a private key has 32 bytes');
      return handle('private', bytes);
    },
    async importPublicKey(bytes) {
      if (bytes.length !== suite.publicKeyLength) throw new TypeError('HPKE: a public key of the wrong length');
      return handle('public', bytes);
    },
    exportPublicKey: async (key) => raw(key),
    exportPrivateKey: async (key) => raw(key),
    encryptAead: (key, nonce, aad, plaintext) => primitives.encrypt(key, nonce, aad ?? EMPTY, plaintext),
    decryptAead: (key, nonce, aad, ciphertext) => primitives.decrypt(key, nonce, aad ?? EMPTY, ciphertext),
    deriveKeyPair,
    /** GenerateKeyPair as DeriveKeyPair of fresh bytes, which RFC 9180 section 7.1.3 allows. */
    generateKeyPair: () => deriveKeyPair(primitives.random(SECRET_LENGTH)),
  };
}

function isScalar(bytes: Uint8Array): boolean {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return value > 0n && value < P256_ORDER;
}

function uint16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff);
}
