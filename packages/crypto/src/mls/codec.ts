/**
 * MLSMessage in and out (RFC 9420 section 6). A message is taken only in the one encoding its content has, so that two
 * byte strings are never one message, and only up to a size; decoded values never alias the caller's bytes.
 */
import { equalBytes } from '@sealpost/protocol';
import { decodeMlsMessage, encodeMlsMessage, type MLSMessage } from 'ts-mls/message.js';
import { decodeRatchetTree, encodeRatchetTree, type RatchetTree } from 'ts-mls/ratchetTree.js';

export const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
export const MAX_TREE_BYTES = 16 * 1024 * 1024;

type MessageOf<Format extends MLSMessage['wireformat']> = Extract<MLSMessage, { wireformat: Format }>;

export function decodeMessage(bytes: Uint8Array): MLSMessage | undefined {
  return decodeExactly(bytes, MAX_MESSAGE_BYTES, decodeMlsMessage, encodeMlsMessage);
}

export function decodeKeyPackageMessage(bytes: Uint8Array): MessageOf<'mls_key_package'>['keyPackage'] | undefined {
  const message = decodeMessage(bytes);
  return message?.wireformat === 'mls_key_package' ? message.keyPackage : undefined;
}

export function decodeWelcomeMessage(bytes: Uint8Array): MessageOf<'mls_welcome'>['welcome'] | undefined {
  const message = decodeMessage(bytes);
  return message?.wireformat === 'mls_welcome' ? message.welcome : undefined;
}

export function decodeTree(bytes: Uint8Array): RatchetTree | undefined {
  return decodeExactly(bytes, MAX_TREE_BYTES, decodeRatchetTree, encodeRatchetTree);
}

export function decodeExactly<T>(
  bytes: Uint8Array,
  limit: number,
  decode: (bytes: Uint8Array, offset: number) => [T, number] | undefined,
  encode: (value: T) => Uint8Array,
): T | undefined {
  if (bytes.length > limit) return undefined;
  try {
    const decoded = decode(new Uint8Array(bytes), 0);
    return decoded !== undefined && equalBytes(encode(decoded[0]), bytes) ? decoded[0] : undefined;
  } catch {
    // The library throws for some malformed input and answers undefined for other.
    return undefined;
  }
}
