/**
 * The signature in sync's `hello` (protocol/sync.ts). The device id has a fixed length and the nonce exactly 43 letters,
 * so the signed bytes cannot be split in two ways.
 */

import { type DeviceId, fromBase64url, SYNC_SIGNATURE_CONTEXT, utf8 } from '@sealpost/protocol';
import { verifySignature } from '#primitives';
import type { PublicJwk } from '../signer/signer.ts';

const NONCE_LENGTH = 32;

/** Answers `undefined` for a nonce that is not canonical base64url of 32 bytes. */
export function syncHelloBytes(hello: { readonly nonce: string; readonly device: DeviceId }): Uint8Array | undefined {
  if (fromBase64url(hello.nonce)?.length !== NONCE_LENGTH) return undefined;
  return utf8(`${SYNC_SIGNATURE_CONTEXT}${hello.nonce}${hello.device}`);
}

export async function verifySyncHello(
  hello: { readonly nonce: string; readonly device: DeviceId; readonly signature: string },
  key: PublicJwk,
): Promise<boolean> {
  const bytes = syncHelloBytes(hello);
  const signature = fromBase64url(hello.signature);
  return bytes !== undefined && signature !== undefined && verifySignature(key, bytes, signature);
}
