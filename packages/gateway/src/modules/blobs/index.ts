/**
 * Sealed attachments: bytes under the hash of themselves, durable before they are answered for, given only to devices of a
 * conversation whose envelope names them. Owns the table blob and the blob folder.
 */
export type { BlobStore, StoredBlob } from './blob-store.ts';
export { type Blobs, type BlobsDeps, createBlobs } from './blobs.ts';

export { registerBlobDeviceRoutes, registerBlobRoutes } from './blobs-routes.ts';
export { openDiskStore } from './disk-store.ts';
