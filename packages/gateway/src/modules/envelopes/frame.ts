/**
 * Whether the sealed content is what the envelope says it is, as far as anyone without keys can tell: an MLS application
 * message (RFC 9420 section 6.3) of this conversation and epoch whose authenticated data repeats message and commitment.
 */
import { readHeader } from '@sealpost/crypto/framing';
import { decodeAuthenticatedData } from '@sealpost/crypto/verify';
import type { Envelope } from '@sealpost/protocol';
import { bytesOfBase64url } from '../../platform/base64url.ts';
import type { RefusalCode } from './envelopes-errors.ts';

export function frameFault(envelope: Envelope): RefusalCode | undefined {
  const part = envelope.parts.find(({ form }) => form === 'device');
  if (part === undefined || part.form !== 'device') return undefined;
  const bytes = bytesOfBase64url(part.ciphertext);
  const header = bytes === undefined ? undefined : readHeader(bytes);
  if (header?.kind !== 'private-message' || header.contentType !== 'application') return 'ERR_ENVELOPES_FRAME';
  const placed = header.conversation === envelope.conversation && header.epoch === BigInt(part.epoch);
  const data = decodeAuthenticatedData(header.authenticatedData);
  const bound = data?.message === envelope.message && data.commitment === envelope.commitment;
  return placed && bound ? undefined : 'ERR_ENVELOPES_FRAME';
}
