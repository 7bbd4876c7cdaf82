/**
 * Reads what an MLSMessage leaves public (RFC 9420 section 6), for whoever carries it. It verifies nothing: a header is
 * a claim, good for routing and for refusing, and the devices decide what is authentic. Content stays where it is.
 */
import { type ConversationId, conversationIdSchema } from '@sealpost/protocol';
import type { PublicHeader } from './framing.ts';
import { readKeyPackageHeader } from './key-package-header.ts';
import { readTls, type TlsReader } from './tls-reader.ts';

/** Larger than any message the engine makes; a welcome for a thousand devices has half a megabyte. */
export const MAX_FRAMED_BYTES = 4 * 1024 * 1024;

const MLS_1_0 = 1;
const CONTENT_TYPES = { 1: 'application', 2: 'proposal', 3: 'commit' } as const;
/** RFC 9420 section 6: member and external carry an index, a new member's proposal and commit carry none. */
const SENDERS_WITH_INDEX: readonly (number | undefined)[] = [1, 2];
const SENDERS_WITHOUT: readonly (number | undefined)[] = [3, 4];

/** `undefined` for anything that is not one well-formed MLSMessage of a kind Sealpost carries. */
export function readHeader(message: Uint8Array): PublicHeader | undefined {
  if (message.length > MAX_FRAMED_BYTES) return undefined;
  const reader = readTls(message);
  if (reader.uint16() !== MLS_1_0) return undefined;
  switch (reader.uint16()) {
    case 1:
      return readPublicMessage(reader);
    case 2:
      return readPrivateMessage(reader);
    case 3:
      return readWelcome(reader);
    case 5:
      return readKeyPackageHeader(reader, message);
    default:
      return undefined;
  }
}

/** RFC 9420 section 6.3. */
function readPrivateMessage(reader: TlsReader): PublicHeader | undefined {
  const conversation = conversationOf(reader.bytes());
  const epoch = reader.uint64();
  const contentType = contentTypeOf(reader.uint8());
  const authenticatedData = reader.bytes();
  const senderData = reader.bytes();
  const ciphertext = reader.bytes();
  if (conversation === undefined || epoch === undefined || contentType === undefined) return undefined;
  if (authenticatedData === undefined || !senderData?.length || !ciphertext?.length) return undefined;
  if (!reader.isAtEnd()) return undefined;
  return {
    kind: 'private-message',
    conversation,
    epoch,
    contentType,
    authenticatedData: new Uint8Array(authenticatedData),
  };
}

/** RFC 9420 section 6.2, as far as the content type: what follows is the content itself. */
function readPublicMessage(reader: TlsReader): PublicHeader | undefined {
  const conversation = conversationOf(reader.bytes());
  const epoch = reader.uint64();
  const sender = reader.uint8();
  const isSender = SENDERS_WITH_INDEX.includes(sender)
    ? reader.uint32() !== undefined
    : SENDERS_WITHOUT.includes(sender);
  const authenticatedData = reader.bytes();
  const contentType = contentTypeOf(reader.uint8());
  if (conversation === undefined || epoch === undefined || !isSender) return undefined;
  if (authenticatedData === undefined || contentType === undefined || reader.isAtEnd()) return undefined;
  // RFC 9420 section 6.2: application data is never framed as a PublicMessage.
  return contentType === 'application' ? undefined : { kind: 'public-message', conversation, epoch, contentType };
}

/** RFC 9420 section 12.4.3.1. */
function readWelcome(reader: TlsReader): PublicHeader | undefined {
  const suite = reader.uint16();
  const secrets = reader.inside();
  const groupInfo = reader.bytes();
  if (suite === undefined || secrets === undefined || !groupInfo?.length || !reader.isAtEnd()) return undefined;
  const keyPackageReferences: Uint8Array[] = [];
  while (!secrets.isAtEnd()) {
    const reference = secrets.bytes();
    const kemOutput = secrets.bytes();
    const ciphertext = secrets.bytes();
    if (!reference?.length || kemOutput === undefined || ciphertext === undefined) return undefined;
    keyPackageReferences.push(new Uint8Array(reference));
  }
  return keyPackageReferences.length === 0 ? undefined : { kind: 'welcome', suite, keyPackageReferences };
}

function contentTypeOf(value: number | undefined): 'application' | 'proposal' | 'commit' | undefined {
  return value === 1 || value === 2 || value === 3 ? CONTENT_TYPES[value] : undefined;
}

/** The group id is the UTF-8 of a ConversationId; any other group is not ours. */
function conversationOf(groupId: Uint8Array | undefined): ConversationId | undefined {
  if (groupId === undefined || groupId.length > 64) return undefined;
  return conversationIdSchema.safeParse(String.fromCharCode(...groupId)).data;
}
