/** Which dispatch key the bytes of a backup are, told by the public half that follows from the private one. */
import { importDispatchKey } from '@sealpost/crypto/dispatch';
import { z } from 'zod';

const schema = z.strictObject({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string(),
  y: z.string(),
  d: z.string(),
});

/** `undefined` for what is no such key. */
export async function dispatchKeyId(bytes: Uint8Array | undefined): Promise<string | undefined> {
  try {
    return (await importDispatchKey(schema.parse(JSON.parse(new TextDecoder().decode(bytes))))).id;
  } catch {
    return undefined;
  }
}
