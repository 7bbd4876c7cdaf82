/**
 * A message as stored. The content was parsed by the protocol's schema before it was stored and is parsed by it again;
 * the rest was written by this program under seal.
 */
import {
  type ConversationId,
  conversationIdSchema,
  type EnvelopeId,
  type FlowName,
  fromUtf8,
  type MessageId,
  messageIdSchema,
  type Timestamp,
  utf8,
} from '@sealpost/protocol';
import { type Content, contentSchema } from '@sealpost/protocol/content';
import { clientError } from '../client-errors.ts';

/** A leaf of the conversation when the message came. */
export interface Reader {
  readonly uri: string;
  /** Its certificate no longer verifies, yet it can read until it is removed. */
  readonly lapsed: boolean;
}

interface StoredFacts {
  readonly message: MessageId;
  readonly conversation: ConversationId;
  readonly flow: FlowName;
  readonly receivedAt: Timestamp;
  readonly sentAt: Timestamp;
  readonly commitment: string;
  /** Of the envelope as this device was given it, to tell a repeat from another under the same id. */
  readonly envelope: EnvelopeId;
  /** Place in the device's queue: what came later is newer. */
  readonly cursor: number;
}

export interface StoredReadable extends StoredFacts {
  readonly state: 'received' | 'read' | 'acknowledged';
  /** Absent until it is opened. */
  readonly openedAt?: Timestamp;
  readonly sender: string;
  readonly content: Content;
  readonly readers: readonly Reader[];
}

interface StoredUnreadable extends StoredFacts {
  readonly state: 'unreadable';
  readonly code: string;
}

export type StoredMessage = StoredReadable | StoredUnreadable;

export const MESSAGE_PREFIX = 'message/';
export const messageName = (message: MessageId) => `${MESSAGE_PREFIX}${message}`;

export function encodeMessage(message: StoredMessage): Uint8Array {
  return utf8(JSON.stringify(message));
}

export function decodeMessage(bytes: Uint8Array): StoredMessage {
  const record = JSON.parse(fromUtf8(bytes)) as Record<string, unknown>;
  const ids =
    messageIdSchema.safeParse(record.message).success && conversationIdSchema.safeParse(record.conversation).success;
  if (!ids) throw damaged();
  if (record.state === 'unreadable') return record as unknown as StoredUnreadable;
  const content = contentSchema.safeParse(record.content);
  if (!content.success || !Array.isArray(record.readers)) throw damaged();
  return { ...(record as unknown as StoredReadable), content: content.data };
}

function damaged() {
  return clientError('ERR_CLIENT_STATE_DAMAGED', { details: [{ pointer: 'message', detail: 'is incomplete' }] });
}
