/** `Content-Digest` (RFC 9530 section 2) with sha-256, and byte sequences of RFC 9651 section 3.3.5. */

import { fromBase64url, toBase64url } from '@sealpost/protocol';
import { sha256 } from '#primitives';

/** `:base64:` with padding. */
export function bytesItem(bytes: Uint8Array): string {
  const text = toBase64url(bytes).replaceAll('-', '+').replaceAll('_', '/');
  return `:${text}${'='.repeat((4 - (text.length % 4)) % 4)}:`;
}

/** The bytes of a canonical `:base64:` item, or `undefined`. */
export function parseBytesItem(item: string): Uint8Array | undefined {
  const [, text] = /^:([A-Za-z0-9+/]*)={0,2}:$/.exec(item) ?? [];
  if (text === undefined) return undefined;
  const bytes = fromBase64url(text.replaceAll('+', '-').replaceAll('/', '_'));
  return bytes !== undefined && bytesItem(bytes) === item ? bytes : undefined;
}

export function contentDigest(body: Uint8Array): string {
  return `sha-256=${bytesItem(sha256(body))}`;
}
