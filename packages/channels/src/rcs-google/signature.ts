/**
 * The signature of an RCS for Business webhook: `X-Goog-Signature` is base64 of HMAC-SHA512 under the client token over
 * the decoded bytes of `message.data` (Google, "Webhooks", "Verify incoming messages").
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

const SIGNATURE_BYTES = 64;

/** Accepts only the one canonical base64 spelling, compared in constant time. */
export function verifySignature(signature: string | undefined, data: Uint8Array, clientToken: Uint8Array): boolean {
  if (signature === undefined) return false;
  const claimed = decodeBase64(signature);
  if (claimed === undefined || claimed.byteLength !== SIGNATURE_BYTES) return false;
  return timingSafeEqual(claimed, createHmac('sha512', clientToken).update(data).digest());
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
