/** What a sealed inbound message is bound to (RFC 9180 section 5.2), and how it is padded: the same for both ends. */
import { canonicalBytes, type KeyId, type Organisation, utf8, type VendorName } from '@sealpost/protocol';

/** Said beside the ciphertext: taken for another organisation's or another vendor's, it does not open. */
export interface InboundBinding {
  readonly organisation: Organisation;
  readonly vendor: VendorName;
}

/** What the gateway stores of it. */
export interface SealedToControl {
  readonly key: KeyId;
  readonly encapsulated: string;
  readonly ciphertext: string;
}

export const INBOUND_INFO = utf8('sealpost/inbound/v1');

/** ISO/IEC 7816-4: this octet, then zeros. */
export const INBOUND_MARK = 0x80;
/** The last, with the 16-byte tag in base64url, is what `inboundAnswerSchema` takes. */
export const INBOUND_SIZES = [1024, 4096, 16_384, 65_536, 262_144] as const;

export function inboundBindingBytes({ organisation, vendor }: InboundBinding, key: KeyId): Uint8Array {
  return canonicalBytes({ key, organisation, vendor });
}
