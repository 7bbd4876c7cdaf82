/**
 * Sealing a carriage to the dispatch key: HPKE base mode (RFC 9180) over the padded canonical carriage. The sender stays
 * unauthenticated here on purpose; the batch signature over the whole envelope authenticates it.
 */

import { type CarrierPart, canonicalBytes, fromBase64url, type KeyId, toBase64url } from '@sealpost/protocol';
import type { Carriage } from '@sealpost/protocol/carriage';
import { sealHpke } from '#primitives';
import { bindingBytes, CARRIER_INFO, type CarrierBinding } from './carrier-binding.ts';
import { padCarriage } from './padding.ts';

export type { CarrierBinding } from './carrier-binding.ts';

export interface DispatchRecipient {
  readonly dispatchKeyId: KeyId;
  /** Uncompressed point, base64url: `trust.dispatch.publicKey`. */
  readonly publicKey: string;
}

/** Throws TypeError on a carriage for another message or channel, and on a key that is no point of P-256. */
export async function sealCarrier(carriage: Carriage, to: DispatchRecipient & CarrierBinding): Promise<CarrierPart> {
  if (carriage.message !== to.message || carriage.channel !== to.channel) {
    throw new TypeError('the carriage is for another message or channel');
  }
  const publicKey = fromBase64url(to.publicKey);
  if (publicKey === undefined) throw new TypeError('the dispatch key is not base64url');
  const { encapsulated, ciphertext } = await sealHpke({
    publicKey,
    info: CARRIER_INFO,
    additionalData: bindingBytes(to, to.dispatchKeyId),
    plaintext: padCarriage(canonicalBytes(carriage)),
  });
  return {
    form: 'carrier',
    channel: to.channel,
    use: to.use,
    key: to.dispatchKeyId,
    encapsulated: toBase64url(encapsulated),
    ciphertext: toBase64url(ciphertext),
  };
}
