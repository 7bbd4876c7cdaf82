/** Events to append in tests: small, valid, and told apart by a number. */
import { conversationIdSchema, type LogEvent } from '@sealpost/protocol';

export function conversationNumber(number: number) {
  return conversationIdSchema.parse(`con_${String(number).padStart(22, '0')}`);
}

/** A group.created of conversation `number`, in the lane of that conversation. */
export function entryNumber(number: number): { laneKey: string; event: LogEvent } {
  const conversation = conversationNumber(number);
  return {
    laneKey: conversation,
    event: { v: 1, kind: 'group.created', at: 1_000 + number, conversation, creator: 'urn:test' },
  };
}
