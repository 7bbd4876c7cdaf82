/**
 * `@sealpost/crypto/framing`: what RFC 9420 leaves public, for the gateway. It holds no secret, opens nothing and
 * verifies nothing; it never imports the MLS engine.
 */
export type { PublicHeader } from './framing.ts';
export { MAX_FRAMED_BYTES, readHeader } from './read-header.ts';
