/**
 * `crypto/open`: the device side, and control for its agents' own state. The gateway never reaches this door.
 */
export { decodeAuthenticatedData } from '../verify/authenticated-data.ts';
export { verifyCommitment } from '../verify/commitment.ts';
export { type BlobVerdict, openBlob } from './blob.ts';
export { type InboundVerdict, openInbound } from './inbound.ts';
export { openState, type StateVerdict } from './state.ts';
export { openStream, StreamRefused } from './stream.ts';
export { createUnwrappingKey, importUnwrappingKey, type UnwrappingKey, unwrapKey } from './unwrap-key.ts';
