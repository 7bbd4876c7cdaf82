/**
 * The signature of a Sinch webhook: base64 of HMAC-SHA256 under the webhook's secret over the raw body, the nonce and the
 * timestamp, joined by dots (Sinch, "Conversation API callbacks", "Validating callbacks").
 */
import { createHmac } from 'node:crypto';
import type { RawWebhook } from '../adapter.ts';
import { sameMac } from '../signature.ts';
import { headerOf } from '../webhook-request.ts';

/**
 * Sinch tries again for 22 h 45 min and does not say whether it signs anew, so a signature is good for a day; within it a
 * repeat is the same event under the same id. A clock may be ahead by five minutes.
 */
const MAX_AGE_SECONDS = 86_400;
const MAX_AHEAD_SECONDS = 300;

export function verifySinchSignature(request: RawWebhook, secret: Uint8Array, now: number): boolean {
  const nonce = headerOf(request, 'x-sinch-webhook-signature-nonce');
  const timestamp = headerOf(request, 'x-sinch-webhook-signature-timestamp');
  const algorithm = headerOf(request, 'x-sinch-webhook-signature-algorithm');
  if (nonce === undefined || timestamp === undefined || !/^\d{1,12}$/.test(timestamp)) return false;
  if (algorithm !== undefined && algorithm !== 'HmacSHA256') return false;
  const mac = createHmac('sha256', secret).update(request.body).update(`.${nonce}.${timestamp}`).digest();
  const age = Math.floor(now / 1000) - Number(timestamp);
  const fresh = age <= MAX_AGE_SECONDS && age >= -MAX_AHEAD_SECONDS;
  return sameMac(headerOf(request, 'x-sinch-webhook-signature'), mac) && secret.byteLength > 0 && fresh;
}
