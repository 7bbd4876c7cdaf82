/**
 * Opening what people sent back, at control. What comes out is parsed again: it is what a vendor claims somebody wrote, and
 * a vendor is nobody's witness.
 */
import { canonicalJson, fromBase64url, fromUtf8 } from '@sealpost/protocol';
import { type SealedInbound, sealedInboundSchema } from '@sealpost/protocol/carriage';
import { openHpke } from '#primitives';
import {
  INBOUND_INFO,
  INBOUND_MARK,
  type InboundBinding,
  inboundBindingBytes,
  type SealedToControl,
} from '../seal/inbound-binding.ts';
import type { UnwrappingKey } from './unwrap-key.ts';

export type InboundVerdict =
  | { readonly kind: 'ok'; readonly message: SealedInbound }
  /** `key`: sealed to another key; `mismatch`: it names another vendor inside than outside. */
  | { readonly kind: 'refused'; readonly reason: 'key' | 'malformed' | 'not-authentic' | 'mismatch' };

const refused = (reason: Extract<InboundVerdict, { kind: 'refused' }>['reason']): InboundVerdict => ({
  kind: 'refused',
  reason,
});

/** `key`: control's, by `importUnwrappingKey`. */
export async function openInbound(
  sealed: SealedToControl,
  key: UnwrappingKey,
  binding: InboundBinding,
): Promise<InboundVerdict> {
  if (sealed.key !== key.id) return refused('key');
  const [encapsulated, ciphertext] = [fromBase64url(sealed.encapsulated), fromBase64url(sealed.ciphertext)];
  if (encapsulated === undefined || ciphertext === undefined) return refused('malformed');
  const padded = await openHpke({
    key: key.agreement,
    encapsulated,
    info: INBOUND_INFO,
    additionalData: inboundBindingBytes(binding, key.id),
    ciphertext,
  });
  if (padded === undefined) return refused('not-authentic');
  const message = parse(padded);
  padded.fill(0);
  if (message === undefined) return refused('malformed');
  return message.vendor === binding.vendor ? { kind: 'ok', message } : refused('mismatch');
}

/** Unpads and parses; only the canonical spelling is a message. */
function parse(padded: Uint8Array): SealedInbound | undefined {
  const end = padded.findLastIndex((octet) => octet !== 0);
  if (padded[end] !== INBOUND_MARK) return undefined;
  try {
    const text = fromUtf8(padded.subarray(0, end));
    const message = sealedInboundSchema.safeParse(JSON.parse(text));
    return message.success && canonicalJson(message.data) === text ? message.data : undefined;
  } catch {
    return undefined;
  }
}
