/** What every blob store promises; each implementation runs these cases. */
import { randomBytes } from 'node:crypto';
import { sha256 } from '@sealpost/crypto/verify';
import { blobIdSchema, toBase64url } from '@sealpost/protocol';
import { expect, it } from 'vitest';
import type { BlobStore } from '../../src/modules/blobs/index.ts';

export function blobOf(bytes: Uint8Array) {
  return blobIdSchema.parse(toBase64url(sha256(bytes)));
}

async function* chunks(bytes: Uint8Array, fail = false) {
  for (let at = 0; at < bytes.length; at += 70_000) yield bytes.subarray(at, at + 70_000);
  if (fail) throw new Error('the sender went away');
}

export function blobStoreContract(open: () => Promise<BlobStore>): void {
  it('gives back exactly the bytes that were put, in chunks of any size', async () => {
    const store = await open();
    for (const length of [1, 69_999, 70_000, 300_001]) {
      const bytes = new Uint8Array(randomBytes(length));
      expect(await store.put(blobOf(bytes), chunks(bytes))).toBe(length);
      const stored = await store.open(blobOf(bytes));
      expect(stored?.size).toBe(length);
      expect(new Uint8Array(Buffer.concat(await stored!.bytes.toArray()))).toEqual(bytes);
    }
  });

  it('answers nothing for a name that was never put', async () => {
    expect(await (await open()).open(blobOf(new Uint8Array(3)))).toBeUndefined();
  });

  it('throws what the stream threw and leaves nothing of it', async () => {
    const store = await open();
    const bytes = new Uint8Array(randomBytes(200_000));
    await expect(store.put(blobOf(bytes), chunks(bytes, true))).rejects.toThrow('the sender went away');
    expect(await store.open(blobOf(bytes))).toBeUndefined();
  });

  it('takes the same blob from several senders at once', async () => {
    const store = await open();
    const bytes = new Uint8Array(randomBytes(200_000));
    await Promise.all([1, 2, 3].map(() => store.put(blobOf(bytes), chunks(bytes))));
    const stored = await store.open(blobOf(bytes));
    expect(new Uint8Array(Buffer.concat(await stored!.bytes.toArray()))).toEqual(bytes);
  });
}
