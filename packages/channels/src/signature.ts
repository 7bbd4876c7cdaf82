/**
 * What webhooks prove themselves by: message authentication codes, and secrets we gave the provider. Every
 * comparison takes the same time wherever the two differ.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** Whether `claimed` is the one canonical base64 spelling of this code. */
export function sameMac(claimed: string | undefined, mac: Uint8Array): boolean {
  const bytes = claimed === undefined ? undefined : decodeBase64(claimed);
  return bytes !== undefined && bytes.byteLength === mac.byteLength && timingSafeEqual(bytes, mac);
}

/** Whether `claimed` is the lower-case hexadecimal spelling of this code. */
export function sameHexMac(claimed: string, mac: Uint8Array): boolean {
  if (claimed.length !== mac.byteLength * 2 || !/^[0-9a-f]*$/.test(claimed)) return false;
  return timingSafeEqual(Buffer.from(claimed, 'hex'), mac);
}

/** Whether both are the same secret, without telling by time where they differ. */
export function sameSecret(text: string, secret: Uint8Array): boolean {
  const tag = (value: string | Uint8Array) => createHmac('sha256', 'sealpost compare').update(value).digest();
  return secret.byteLength > 0 && timingSafeEqual(tag(text), tag(secret));
}

/** Canonical base64 with padding (RFC 4648 section 4); `undefined` for anything else. */
export function decodeBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? new Uint8Array(bytes) : undefined;
}
