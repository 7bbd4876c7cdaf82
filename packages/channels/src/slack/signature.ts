/**
 * The signature of a Slack request: `X-Slack-Signature` is `v0=` and the hexadecimal HMAC-SHA256 under the signing secret
 * over `v0:{X-Slack-Request-Timestamp}:{raw body}`; a request older than five minutes is a copy (Slack, "Verifying
 * requests from Slack").
 */
import { createHmac } from 'node:crypto';
import { sameHexMac } from '../signature.ts';

const MAX_AGE_SECONDS = 300;

export function verifySlackSignature(
  signature: string | undefined,
  timestamp: string | undefined,
  body: Uint8Array,
  secret: string,
  now: number,
): boolean {
  const [, claimed = ''] = /^v0=([0-9a-f]{64})$/.exec(signature ?? '') ?? [];
  if (secret === '' || timestamp === undefined || !/^\d{1,12}$/.test(timestamp)) return false;
  if (Math.abs(now / 1000 - Number(timestamp)) > MAX_AGE_SECONDS) return false;
  return sameHexMac(claimed, createHmac('sha256', secret).update(`v0:${timestamp}:`).update(body).digest());
}
