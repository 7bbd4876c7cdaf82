/** The inbox in the store, and a stored message as people see it: what failed a check shows nothing but why. */
import { parseUri } from '@sealpost/crypto/verify';
import type { MessageId } from '@sealpost/protocol';
import { clientError } from '../client-errors.ts';
import type { InboxMessage, ReadableMessage } from '../device.ts';
import type { DeviceStore } from '../store/store.ts';
import {
  decodeMessage,
  MESSAGE_PREFIX,
  messageName,
  type StoredMessage,
  type StoredReadable,
} from './message-schema.ts';

/** `undefined` when this device has no such message. */
export async function findMessage(store: DeviceStore, message: MessageId): Promise<StoredMessage | undefined> {
  const bytes = await store.read(messageName(message));
  return bytes === undefined ? undefined : decodeMessage(bytes);
}

/** Throws for a message that is not there and for one that failed a check. */
export async function readableMessage(store: DeviceStore, message: MessageId): Promise<StoredReadable> {
  const found = await findMessage(store, message);
  if (found === undefined) throw clientError('ERR_CLIENT_MESSAGE');
  if (found.state === 'unreadable')
    throw clientError('ERR_CLIENT_UNREADABLE', { details: [{ pointer: 'message', detail: found.code }] });
  return found;
}

/** Newest first. */
export async function allMessages(store: DeviceStore): Promise<InboxMessage[]> {
  const found: StoredMessage[] = [];
  for (const name of await store.list(MESSAGE_PREFIX)) {
    const bytes = await store.read(name);
    if (bytes !== undefined) found.push(decodeMessage(bytes));
  }
  return found.sort((a, b) => b.cursor - a.cursor).map(shown);
}

function shown(stored: StoredMessage): InboxMessage {
  if (stored.state !== 'unreadable') return shownReadable(stored);
  return {
    ...factsOf(stored),
    state: 'unreadable',
    subject: '',
    body: '',
    facts: [],
    attachments: [],
    acknowledge: false,
    sender: {},
    checks: { commitment: false, authenticatedData: false },
    code: stored.code,
  };
}

export function shownReadable(stored: StoredReadable): ReadableMessage {
  const { content, state, sender, openedAt } = stored;
  const named = parseUri(sender);
  if (named?.kind !== 'agent') throw clientError('ERR_CLIENT_STATE_DAMAGED');
  return {
    ...factsOf(stored),
    state,
    ...(openedAt === undefined ? {} : { openedAt }),
    subject: content.subject,
    body: content.body,
    facts: content.facts,
    attachments: content.attachments.map(({ name, mediaType, size }) => ({ name, mediaType, size })),
    acknowledge: content.acknowledge,
    sender: { uri: sender, agent: named.agent },
    checks: { commitment: true, authenticatedData: true },
  };
}

function factsOf({ message, conversation, flow, receivedAt, sentAt, commitment }: StoredMessage) {
  return { message, conversation, flow, receivedAt, sentAt, commitment };
}
