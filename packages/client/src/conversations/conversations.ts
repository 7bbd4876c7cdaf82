/**
 * The MLS states of this device, by conversation. What is held in memory is always what the store holds: a state is
 * adopted after the write that stored it, and everything is forgotten when a write failed and nobody knows how far it got.
 */
import type { GroupState, MlsEngine } from '@sealpost/crypto/mls';
import type { ConversationId } from '@sealpost/protocol';
import type { DeviceStore } from '../store/store.ts';

export interface Conversations {
  /** `undefined` when this device is not in it. */
  state(conversation: ConversationId): Promise<GroupState | undefined>;
  /** What to write for a new state; `undefined` when the conversation is over for this device. */
  change(conversation: ConversationId, next: GroupState | undefined): readonly [string, Uint8Array | null];
  /** Call once the change is stored. */
  adopt(states: ReadonlyMap<ConversationId, GroupState | undefined>): void;
  forget(): void;
}

const nameOf = (conversation: ConversationId) => `mls/${conversation}`;

export function createConversations(store: DeviceStore, engine: MlsEngine): Conversations {
  const held = new Map<ConversationId, GroupState>();
  return {
    async state(conversation) {
      const known = held.get(conversation);
      if (known !== undefined) return known;
      const stored = await store.read(nameOf(conversation));
      if (stored === undefined) return undefined;
      const state = engine.decodeState(stored);
      held.set(conversation, state);
      return state;
    },
    change: (conversation, next) => [nameOf(conversation), next === undefined ? null : engine.encodeState(next)],
    adopt(states) {
      for (const [conversation, state] of states) {
        if (state === undefined) held.delete(conversation);
        else held.set(conversation, state);
      }
    },
    forget: () => held.clear(),
  };
}
