/**
 * Content behind a split link (DESIGN section 3): two secrets that never meet but at the reader. The link secret travels in
 * the URL's fragment, which carriers and the dispatcher see; the gate secret stays in control until the gate is passed. The
 * content key is HKDF-SHA256 (RFC 5869) of both, the content AES-256-GCM (NIST SP 800-38D) under it, padded.
 */
import { canonicalBytes, concatBytes, type MessageId, type Organisation, utf8 } from '@sealpost/protocol';
import { hmacSha256, openAesGcm, randomBytes, sealAesGcm } from '#primitives';
import { hkdfExpand, hkdfExtract } from '../primitives/hkdf.ts';
import { padTo, unpad } from './padding.ts';

export const SECRET_LENGTH = 32;
const KEY_LENGTH = 32;
const NONCE_LENGTH = 12;
const SALT = utf8('sealpost/split/v1');

/** What a sealed content is bound to: moved behind another link, it does not open. */
export interface SplitBinding {
  readonly organisation: Organisation;
  readonly message: MessageId;
  /** The link's public name: the last part of its path. */
  readonly link: string;
}

export interface SplitSecrets {
  /** 32 bytes each. Either alone says nothing of the key. */
  readonly linkSecret: Uint8Array;
  readonly gateSecret: Uint8Array;
}

export interface SealedSplit extends SplitSecrets {
  /** Nonce and ciphertext; its length says only which size of padding the content fell in. */
  readonly sealed: Uint8Array;
}

export async function sealSplit(content: Uint8Array, binding: SplitBinding): Promise<SealedSplit> {
  const secrets = { linkSecret: randomBytes(SECRET_LENGTH), gateSecret: randomBytes(SECRET_LENGTH) };
  const additionalData = bindingBytes(binding);
  const key = keyOf(secrets, additionalData);
  const nonce = randomBytes(NONCE_LENGTH);
  const plaintext = padTo(content);
  const ciphertext = await sealAesGcm({ key, nonce, additionalData, plaintext });
  key.fill(0);
  plaintext.fill(0);
  return { ...secrets, sealed: concatBytes(nonce, ciphertext) };
}

/** Answers `undefined` for secrets that are not both of this link, and for anything altered. */
export async function openSplit(
  sealed: Uint8Array,
  secrets: SplitSecrets,
  binding: SplitBinding,
): Promise<Uint8Array | undefined> {
  if (secrets.linkSecret.length !== SECRET_LENGTH || secrets.gateSecret.length !== SECRET_LENGTH) return undefined;
  const additionalData = bindingBytes(binding);
  const key = keyOf(secrets, additionalData);
  const [nonce, ciphertext] = [sealed.subarray(0, NONCE_LENGTH), sealed.subarray(NONCE_LENGTH)];
  if (nonce.length !== NONCE_LENGTH) return undefined;
  const padded = await openAesGcm({ key, nonce, additionalData, ciphertext });
  key.fill(0);
  return padded === undefined ? undefined : unpad(padded);
}

/** Both secrets have one length, so their concatenation can be read in one way only. */
function keyOf({ linkSecret, gateSecret }: SplitSecrets, info: Uint8Array): Uint8Array {
  const secret = concatBytes(linkSecret, gateSecret);
  const key = hkdfExpand(hmacSha256, hkdfExtract(hmacSha256, SALT, secret), info, KEY_LENGTH);
  secret.fill(0);
  return key;
}

function bindingBytes({ organisation, message, link }: SplitBinding): Uint8Array {
  return canonicalBytes({ context: 'sealpost/split/v1', link, message, organisation });
}
