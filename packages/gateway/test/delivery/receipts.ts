/** A device's signed receipt, as it makes it or with parts of it wrong. */
import { type Signer, signJws } from '@sealpost/crypto/signer';
import { DEVICE_RECEIPT_TYPE, type DeviceReceipt, type Envelope } from '@sealpost/protocol';
import type { DeliveryBench, Recipient } from './bench.ts';

export function deviceReceipt(
  { clock, organisation }: Pick<DeliveryBench, 'clock' | 'organisation'>,
  { person }: Pick<Recipient, 'person'>,
  envelope: Envelope,
  kind: DeviceReceipt['kind'],
  changes: Partial<DeviceReceipt> = {},
  signer: Signer = person.signer,
): Promise<string> {
  const receipt: DeviceReceipt = {
    v: 1,
    organisation: organisation.trust.organisation,
    kind,
    device: person.device,
    message: envelope.message,
    conversation: envelope.conversation,
    commitment: envelope.commitment,
    at: clock.now(),
    ...changes,
  };
  return signJws(DEVICE_RECEIPT_TYPE, receipt, signer);
}
