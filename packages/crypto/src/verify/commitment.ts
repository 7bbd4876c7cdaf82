/**
 * The commitment of an envelope (message franking, DESIGN section 5): HMAC-SHA256 (RFC 2104) under the opening key, which
 * travels inside the content. Each field is preceded by its length, so no two lists of fields give the same bytes.
 */

import { concatBytes, equalBytes, fromBase64url, toBase64url, utf8 } from '@sealpost/protocol';
import { hmacSha256 } from '#primitives';

const CONTEXT = utf8('sealpost/commitment/v1');
const OPENING_KEY_LENGTH = 32;

export interface CommittedContent {
  /** 32 random bytes, one message only. */
  readonly openingKey: Uint8Array;
  /** Canonical content, as encrypted. */
  readonly content: Uint8Array;
  readonly sender: string;
  readonly conversation: string;
  readonly message: string;
}

function lengthPrefixed(bytes: Uint8Array): Uint8Array {
  const prefix = new Uint8Array(4);
  new DataView(prefix.buffer).setUint32(0, bytes.length);
  return concatBytes(prefix, bytes);
}

function commit({ openingKey, content, sender, conversation, message }: CommittedContent): Uint8Array {
  const fields = [CONTEXT, content, utf8(sender), utf8(conversation), utf8(message)];
  return hmacSha256(openingKey, concatBytes(...fields.map(lengthPrefixed)));
}

/** Throws on an opening key of another length: HMAC pads short keys, which would make two keys one. */
export function commitmentOf(committed: CommittedContent): string {
  if (committed.openingKey.length !== OPENING_KEY_LENGTH) throw new TypeError('an opening key has 32 bytes');
  return toBase64url(commit(committed));
}

export function verifyCommitment(committed: CommittedContent & { readonly commitment: string }): boolean {
  const claimed = fromBase64url(committed.commitment);
  if (claimed === undefined || committed.openingKey.length !== OPENING_KEY_LENGTH) return false;
  return equalBytes(commit(committed), claimed);
}
