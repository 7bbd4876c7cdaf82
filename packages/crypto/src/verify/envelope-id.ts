/** An envelope's id: SHA-256 of its canonical form. Synchronous, for the gateway's hot path. */

import { type Envelope, type EnvelopeId, envelopeBytes, envelopeIdSchema, toBase64url } from '@sealpost/protocol';
import { sha256 } from '#primitives';

export function envelopeDigest(envelope: Envelope): Uint8Array {
  return sha256(envelopeBytes(envelope));
}

export function envelopeId(envelope: Envelope): EnvelopeId {
  return envelopeIdSchema.parse(toBase64url(envelopeDigest(envelope)));
}
