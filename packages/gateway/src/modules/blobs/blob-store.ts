/**
 * The port of blob storage: bytes under a name, whole or not at all. `put` answers once they would survive a power loss.
 */
import type { Readable } from 'node:stream';
import type { BlobId } from '@sealpost/protocol';

export interface StoredBlob {
  readonly size: number;
  /** Ends with an error when the bytes cannot be read to their end. */
  readonly bytes: Readable;
}

export interface BlobStore {
  /**
   * Stores `bytes` under `blob` and answers their length. Whatever the stream does, nothing of it is ever readable under
   * the name unless it ended well: an error in it is thrown on, and leaves nothing. Putting the same again is harmless.
   */
  put(blob: BlobId, bytes: AsyncIterable<Uint8Array>): Promise<number>;
  /** `undefined` when there is nothing under that name; throws when there is but it cannot be read. */
  open(blob: BlobId): Promise<StoredBlob | undefined>;
}
