/** A device's answer to the sync challenge (protocol/sync.ts): a signature over context, nonce and device id. */
import { type DeviceId, toBase64url } from '@sealpost/protocol';
import { syncHelloBytes } from '../verify/sync-hello.ts';
import type { Signer } from './signer.ts';

/** Base64url of 64 bytes. Throws on a nonce that is not 32 bytes: a device signs nothing of another shape. */
export async function signSyncHello(
  hello: { readonly nonce: string; readonly device: DeviceId },
  signer: Signer,
): Promise<string> {
  const bytes = syncHelloBytes(hello);
  if (bytes === undefined) throw new TypeError('the challenge is not 32 bytes in base64url');
  return toBase64url(await signer.sign(bytes));
}
