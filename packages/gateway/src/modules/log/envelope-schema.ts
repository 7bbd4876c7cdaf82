/** Envelopes read back from our own table: the JSON whose canonical form was verified and hashed when it was accepted. */
import type { Envelope } from '@sealpost/protocol';

export function envelopeOfBody(body: string): Envelope {
  return JSON.parse(body) as Envelope;
}
