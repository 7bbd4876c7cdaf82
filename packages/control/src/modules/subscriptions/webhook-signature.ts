/**
 * Standard Webhooks 1.0: the id, the second and the body under one HMAC-SHA-256 for each secret in force and under one
 * Ed25519 signature, so that a receiver may check with what it has. Keys are base64 behind `whsec_` and `whpk_`.
 */
import { createHmac } from 'node:crypto';
import type { Signer } from '@sealpost/crypto/signer';
import { concatBytes, fromBase64url, utf8 } from '@sealpost/protocol';

export interface WebhookHeaders extends Readonly<Record<string, string>> {
  readonly 'webhook-id': string;
  readonly 'webhook-timestamp': string;
  readonly 'webhook-signature': string;
}

export interface SignedDelivery {
  readonly id: string;
  readonly body: Uint8Array;
  readonly secrets: readonly Uint8Array[];
  /** Ed25519. */
  readonly signer: Signer;
  /** Milliseconds. */
  readonly now: number;
}

export async function signWebhook({ id, body, secrets, signer, now }: SignedDelivery): Promise<WebhookHeaders> {
  const timestamp = String(Math.floor(now / 1000));
  const signed = concatBytes(utf8(`${id}.${timestamp}.`), body);
  const symmetric = secrets.map((secret) => `v1,${createHmac('sha256', secret).update(signed).digest('base64')}`);
  const asymmetric = `v1a,${base64(await signer.sign(signed))}`;
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': [...symmetric, asymmetric].join(' '),
  };
}

export const secretText = (secret: Uint8Array) => `whsec_${base64(secret)}`;

export function publicKeyText({ publicJwk }: Signer): string {
  return `whpk_${base64(fromBase64url(publicJwk.x) ?? new Uint8Array(0))}`;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
