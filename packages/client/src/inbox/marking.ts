/** What the person did with a message: its new state and the receipts that say so are stored in one write. */
import type { MessageId } from '@sealpost/protocol';
import type { DeviceChange, ReadableMessage } from '../device.ts';
import type { VerifiedIdentity } from '../enrollment/verified-identity.ts';
import type { DeviceStore } from '../store/store.ts';
import type { ClientSurroundings } from '../surroundings.ts';
import { encodeMessage, messageName, type StoredReadable } from './message-schema.ts';
import { readableMessage, shownReadable } from './messages.ts';
import { receiptChange } from './receipts.ts';

export interface Marking {
  /** Repeating it changes nothing. Acknowledging reads too. Throws on an unreadable message. */
  mark(
    message: MessageId,
    as: 'read' | 'acknowledged',
  ): Promise<{ readonly shown: ReadableMessage; readonly told: readonly DeviceChange[] }>;
}

const TOLD = { read: 'opened', acknowledged: 'acknowledged' } as const;

export function createMarking(deps: {
  readonly store: DeviceStore;
  readonly verified: VerifiedIdentity;
  readonly surroundings: ClientSurroundings;
}): Marking {
  const { store, verified, surroundings } = deps;
  return {
    async mark(message, as) {
      const found = await readableMessage(store, message);
      const kinds = missing(found.state, as);
      if (kinds.length === 0) return { shown: shownReadable(found), told: [] };
      const now = surroundings.now();
      const marked: StoredReadable = { ...found, state: as, openedAt: found.openedAt ?? now };
      const changes = new Map<string, Uint8Array>([[messageName(message), encodeMessage(marked)]]);
      for (const kind of kinds) changes.set(...(await receiptChange(kind, found, verified, now)));
      await store.write(changes);
      return { shown: shownReadable(marked), told: kinds.map((kind) => ({ kind: TOLD[kind], message })) };
    },
  };
}

function missing(state: StoredReadable['state'], as: 'read' | 'acknowledged'): ('read' | 'acknowledged')[] {
  const wanted = as === 'read' ? (['read'] as const) : (['read', 'acknowledged'] as const);
  return wanted.filter((kind) => state === 'received' || (state === 'read' && kind === 'acknowledged'));
}
