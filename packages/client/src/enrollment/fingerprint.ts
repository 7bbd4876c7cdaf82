/** Fingerprints of a root certificate: SHA-256 of its DER in upper-case hex with colons, as OpenSSL and browsers show it. */
import { sha256 } from '@sealpost/crypto/verify';
import { toHex } from '@sealpost/protocol';

export function fingerprintOf(certificate: Uint8Array): string {
  return (toHex(sha256(certificate)).toUpperCase().match(/../g) ?? []).join(':');
}

/** Case and colons do not matter; anything else does. */
export function sameFingerprint(a: string, b: string): boolean {
  const plain = (text: string) => text.replaceAll(':', '').toUpperCase();
  return /^[0-9A-F]{64}$/.test(plain(a)) && plain(a) === plain(b);
}
