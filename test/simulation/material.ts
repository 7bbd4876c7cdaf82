/**
 * Keys, sealed forms and signed receipts of the simulated world: real ones, so that the real dispatcher opens them and the
 * real intake verifies them. They are made once a process and are the same in every run, because nothing a run decides
 * depends on their bytes; their randomness never reaches a trace.
 */
import { createDispatchKey, type DispatchKey } from '@sealpost/crypto/dispatch';
import { sealCarrier } from '@sealpost/crypto/seal';
import { createSigningKey, type PublicJwk, signJws } from '@sealpost/crypto/signer';
import {
  type CarrierPart,
  type ChannelName,
  DEVICE_RECEIPT_TYPE,
  type DeviceId,
  type DeviceReceipt,
  type Envelope,
  type FlowName,
  type MessageId,
  messageIdSchema,
  organisationSchema,
  type Use,
} from '@sealpost/protocol';

export const ORGANISATION = organisationSchema.parse('acme.example');
export const COMMITMENT = 'C'.repeat(43);
const ADDRESS = '+4915112345678';
const NOTICE = { kind: 'notice', text: 'A message is waiting.', url: 'https://inbox.acme.example/' } as const;
/** A form outlives every run; the attempt's own expiry is the earlier one. */
const FORM_EXPIRES = 4_000_000_000_000;

export interface Material {
  readonly dispatchKey: DispatchKey;
  /** All devices have one key: whose a receipt is, is not what is simulated here. */
  readonly devicePublicKey: PublicJwk;
  part(message: MessageId, flow: FlowName, channel: ChannelName, use: Use): Promise<CarrierPart>;
  receipt(envelope: Envelope, device: DeviceId, kind: DeviceReceipt['kind']): Promise<string>;
}

export const messageId = (number: number): MessageId =>
  messageIdSchema.parse(`01a2b3c4-d5e6-7f80-8123-${String(number).padStart(12, '0')}`);

/** Waits of real cryptography take no virtual time. */
export async function createMaterial(): Promise<Material> {
  const { key: dispatchKey } = await createDispatchKey();
  const { signer } = await createSigningKey('ES256');
  const parts = new Map<string, CarrierPart>();
  const receipts = new Map<string, string>();
  return {
    dispatchKey,
    devicePublicKey: signer.publicJwk,
    async part(message, flow, channel, use) {
      const name = [message, flow, channel, use].join(' ');
      const known = parts.get(name);
      if (known !== undefined) return known;
      const made = await sealCarrier(
        { v: 1, message, channel, address: ADDRESS, expires: FORM_EXPIRES, payload: NOTICE },
        {
          ...{ organisation: ORGANISATION, message, flow, channel, use },
          ...{ dispatchKeyId: dispatchKey.id, publicKey: dispatchKey.publicKey },
        },
      );
      parts.set(name, made);
      return made;
    },
    async receipt({ message, conversation, commitment }, device, kind) {
      const name = [message, conversation, device, kind].join(' ');
      const known = receipts.get(name);
      if (known !== undefined) return known;
      const receipt = { v: 1, organisation: ORGANISATION, kind, device, message, conversation, commitment, at: 0 };
      const made = await signJws(DEVICE_RECEIPT_TYPE, receipt, signer);
      receipts.set(name, made);
      return made;
    },
  };
}
