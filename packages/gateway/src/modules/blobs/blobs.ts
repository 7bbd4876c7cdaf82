/**
 * Putting and getting sealed blobs. The name is the hash of the bytes, checked while they arrive; a blob counts as stored
 * only once store and table both hold it durably.
 */
import { createHash } from 'node:crypto';
import type { Database, Sql, Surroundings } from '@sealpost/platform';
import { type BlobId, type DeviceId, toBase64url } from '@sealpost/protocol';
import { reached } from '../../points.ts';
import type { Groups } from '../groups/index.ts';
import type { BlobStore, StoredBlob } from './blob-store.ts';
import { blobsError } from './blobs-errors.ts';

export interface Blobs {
  /** Stores `bytes` if they hash to `blob`; the same again answers `already`. Throws SealpostError otherwise. */
  put(blob: BlobId, bytes: AsyncIterable<Uint8Array>): Promise<'stored' | 'already'>;
  /** `undefined` unless a conversation of the device has an envelope naming the blob. */
  get(device: DeviceId, blob: BlobId): Promise<StoredBlob | undefined>;
  /** Those of `blobs` that were never put. */
  missing(sql: Sql, blobs: readonly BlobId[]): Promise<BlobId[]>;
}

export interface BlobsDeps {
  readonly database: Database;
  readonly surroundings: Surroundings;
  readonly store: BlobStore;
  readonly groups: Pick<Groups, 'mayFetch'>;
}

export const BLOB_LIMIT = 32 * 1024 * 1024;

export function createBlobs({ database, surroundings, store, groups }: BlobsDeps): Blobs {
  const missing = async (sql: Sql, blobs: readonly BlobId[]): Promise<BlobId[]> => {
    if (blobs.length === 0) return [];
    const rows = await sql.query<{ blob: string }>(
      'blobs-known',
      'SELECT blob FROM blob WHERE blob = ANY($1::text[])',
      [[...blobs]],
    );
    const known = new Set(rows.map(({ blob }) => blob));
    return blobs.filter((blob) => !known.has(blob));
  };

  return {
    async put(blob, bytes) {
      const size = await store.put(blob, checked(blob, bytes));
      reached('blobs.written');
      const rows = await database.query(
        'blobs-add',
        'INSERT INTO blob (blob, size, stored_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING blob',
        [blob, size, surroundings.now()],
      );
      reached('blobs.recorded');
      return rows.length === 1 ? 'stored' : 'already';
    },
    async get(device, blob) {
      return (await groups.mayFetch(device, blob)) ? await store.open(blob) : undefined;
    },
    missing,
  };
}

/** Passes the bytes on and throws at the end, or at the limit, when they are not what the name says. */
async function* checked(blob: BlobId, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.length;
    if (size > BLOB_LIMIT) throw blobsError('ERR_BLOBS_TOO_LARGE');
    hash.update(chunk);
    yield chunk;
  }
  if (toBase64url(new Uint8Array(hash.digest())) !== blob) throw blobsError('ERR_BLOBS_DIGEST');
}
