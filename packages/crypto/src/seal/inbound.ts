/**
 * Sealing what a person sent back to control's inbound key: HPKE base mode (RFC 9180) over the padded canonical message, so
 * that the gateway stores nothing readable. It proves nothing about who sealed it: the channel it came by does not either.
 */
import { canonicalBytes, fromBase64url, type KeyId, toBase64url } from '@sealpost/protocol';
import type { SealedInbound } from '@sealpost/protocol/carriage';
import { sealHpke } from '#primitives';
import {
  INBOUND_INFO,
  INBOUND_MARK,
  INBOUND_SIZES,
  type InboundBinding,
  inboundBindingBytes,
  type SealedToControl,
} from './inbound-binding.ts';

export type { InboundBinding, SealedToControl } from './inbound-binding.ts';

export interface InboundRecipient {
  /** `trust.control.inbound.id`. */
  readonly id: KeyId;
  /** Uncompressed point, base64url. */
  readonly publicKey: string;
}

/** `undefined` for a message too long to be kept. Throws TypeError on a key that is no point of P-256. */
export async function sealInbound(
  message: SealedInbound,
  to: InboundRecipient,
  binding: InboundBinding,
): Promise<SealedToControl | undefined> {
  const publicKey = fromBase64url(to.publicKey);
  if (publicKey === undefined) throw new TypeError('the inbound key is not base64url');
  const plaintext = padded(canonicalBytes(message));
  if (plaintext === undefined) return undefined;
  const { encapsulated, ciphertext } = await sealHpke({
    publicKey,
    info: INBOUND_INFO,
    additionalData: inboundBindingBytes(binding, to.id),
    plaintext,
  });
  plaintext.fill(0);
  return { key: to.id, encapsulated: toBase64url(encapsulated), ciphertext: toBase64url(ciphertext) };
}

function padded(plaintext: Uint8Array): Uint8Array | undefined {
  const size = INBOUND_SIZES.find((size) => plaintext.length < size);
  if (size === undefined) return undefined;
  const bytes = new Uint8Array(size);
  bytes.set(plaintext);
  bytes[plaintext.length] = INBOUND_MARK;
  return bytes;
}
