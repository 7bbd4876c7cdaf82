/** What a carrier part is bound to: HPKE info and additional data (RFC 9180 section 5.2), the same for both ends. */
import {
  type CarrierPart,
  type ChannelName,
  canonicalBytes,
  type FlowName,
  type KeyId,
  type MessageId,
  type Organisation,
  utf8,
} from '@sealpost/protocol';

/** Fields of the envelope and the part around the ciphertext: moved into another envelope, it does not open. */
export interface CarrierBinding {
  readonly organisation: Organisation;
  readonly message: MessageId;
  readonly flow: FlowName;
  readonly channel: ChannelName;
  readonly use: CarrierPart['use'];
}

export const CARRIER_INFO = utf8('sealpost/carrier/v1');

export function bindingBytes(binding: CarrierBinding, key: KeyId): Uint8Array {
  const { organisation, message, flow, channel, use } = binding;
  return canonicalBytes({ channel, flow, key, message, organisation, use });
}
