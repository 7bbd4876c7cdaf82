/**
 * The MLS authenticated data of a content message (RFC 9420 section 6.3.2): which message this is and which content the
 * envelope commits to, in clear for the gateway and under the sender's signature for the recipients.
 */
import { canonicalBytes } from '@sealpost/protocol';
import type { AuthenticatedData } from '../verify/authenticated-data.ts';

export function encodeAuthenticatedData({ message, commitment }: AuthenticatedData): Uint8Array {
  return canonicalBytes({ message, commitment });
}
