/** Comparing fingerprints as people copy them. */
export { fingerprintOf } from '@sealpost/crypto/verify';

/** Case and colons do not matter; anything else does. */
export function sameFingerprint(a: string, b: string): boolean {
  const plain = (text: string) => text.replaceAll(':', '').toUpperCase();
  return /^[0-9A-F]{64}$/.test(plain(a)) && plain(a) === plain(b);
}
