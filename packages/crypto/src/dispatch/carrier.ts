/**
 * Opening a carrier part for one attempt. What comes out is checked again against the envelope around it: the dispatcher
 * acts on a carriage only for the message and channel it was asked to attempt.
 */

import { type CarrierPart, canonicalJson, fromBase64url, fromUtf8 } from '@sealpost/protocol';
import { type Carriage, carriageSchema } from '@sealpost/protocol/carriage';
import { openHpke } from '#primitives';
import { bindingBytes, CARRIER_INFO, type CarrierBinding } from '../seal/carrier-binding.ts';
import type { DispatchKey } from './key.ts';

export type CarrierVerdict =
  | { readonly kind: 'ok'; readonly carriage: Carriage }
  /** `key`: sealed to another key; `mismatch`: sealed for another message, channel or use. */
  | { readonly kind: 'refused'; readonly reason: 'key' | 'mismatch' | 'malformed' | 'not-authentic' };

const MARK = 0x80;

const refused = (reason: Extract<CarrierVerdict, { kind: 'refused' }>['reason']): CarrierVerdict => ({
  kind: 'refused',
  reason,
});

export async function openCarrier(
  part: CarrierPart,
  key: DispatchKey,
  binding: CarrierBinding,
): Promise<CarrierVerdict> {
  if (part.key !== key.id) return refused('key');
  if (part.channel !== binding.channel || part.use !== binding.use) return refused('mismatch');
  const [encapsulated, ciphertext] = [fromBase64url(part.encapsulated), fromBase64url(part.ciphertext)];
  if (encapsulated === undefined || ciphertext === undefined) return refused('malformed');
  const padded = await openHpke({
    key: key.agreement,
    encapsulated,
    info: CARRIER_INFO,
    additionalData: bindingBytes(binding, key.id),
    ciphertext,
  });
  if (padded === undefined) return refused('not-authentic');
  const carriage = parse(padded);
  padded.fill(0);
  if (carriage === undefined) return refused('malformed');
  if (carriage.message !== binding.message || carriage.channel !== binding.channel) return refused('mismatch');
  return { kind: 'ok', carriage };
}

/** Unpads (ISO/IEC 7816-4) and parses; only the canonical spelling is a carriage. */
function parse(padded: Uint8Array): Carriage | undefined {
  const end = padded.findLastIndex((octet) => octet !== 0);
  if (padded[end] !== MARK) return undefined;
  try {
    const text = fromUtf8(padded.subarray(0, end));
    const carriage = carriageSchema.safeParse(JSON.parse(text));
    return carriage.success && canonicalJson(carriage.data) === text ? carriage.data : undefined;
  } catch {
    return undefined;
  }
}
