/**
 * A key sealed to somebody's public key: HPKE base mode (RFC 9180), bound to what it is for. Whoever wraps proves nothing
 * about themselves; what is sealed under the key must carry its own signature.
 */
import { canonicalBytes, fromBase64url, toBase64url, utf8 } from '@sealpost/protocol';
import { sealHpke } from '#primitives';

/** `purpose` names the kind of thing, `binding` the one thing: a key wrapped for another does not open. */
export interface WrapContext {
  readonly purpose: string;
  readonly binding: Readonly<Record<string, string>>;
}

export interface WrappedKey {
  readonly encapsulated: string;
  readonly ciphertext: string;
}

/** Throws TypeError on a public key (uncompressed point, base64url) that is no point of P-256. */
export async function wrapKey(key: Uint8Array, publicKey: string, context: WrapContext): Promise<WrappedKey> {
  const point = fromBase64url(publicKey);
  if (point === undefined) throw new TypeError('the public key is not base64url');
  const { encapsulated, ciphertext } = await sealHpke({
    publicKey: point,
    info: utf8(context.purpose),
    additionalData: canonicalBytes(context.binding),
    plaintext: key,
  });
  return { encapsulated: toBase64url(encapsulated), ciphertext: toBase64url(ciphertext) };
}
