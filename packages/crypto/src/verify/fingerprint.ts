/** Fingerprints of a root certificate: SHA-256 of its DER in upper-case hex with colons, as OpenSSL and browsers show it. */
import { toHex } from '@sealpost/protocol';
import { sha256 } from '#primitives';

export function fingerprintOf(certificate: Uint8Array): string {
  return (toHex(sha256(certificate)).toUpperCase().match(/../g) ?? []).join(':');
}
