/**
 * Messages while services die: one sender a conversation, each waiting for its promise before it sends the next, and now
 * and then asking for an old one again; and the device that is online, which opens and acknowledges what it gets.
 */
import type { Device } from '../../packages/client/src/index.ts';
import type { MessageId } from '../../packages/protocol/src/index.ts';
import type { Caller } from './caller.ts';
import type { Promised, Shown } from './history.ts';
import type { Letterbox, Resident } from './people.ts';
import type { Random } from './random.ts';

export interface Traffic {
  readonly promised: readonly Promised[];
  /** Rejects when a caller was told that its message can never be sent. */
  readonly finished: Promise<void>;
}

/** Of a hundred messages, how many are asked for once more after their promise. */
const REPEATED = 5;

export function sendAll(
  conversations: readonly (readonly Letterbox[])[],
  messages: number,
  caller: Caller,
  random: Random,
): Traffic {
  const promised: Promised[] = [];
  let left = messages;
  const sendFrom = async (boxes: readonly Letterbox[], conversation: number): Promise<void> => {
    for (let order = 0; left > 0; order++) {
      left -= 1;
      const box = boxes[order % boxes.length];
      if (box === undefined) throw new TypeError('a conversation has flows');
      const sender = `sender-${conversation}`;
      const letter = { key: `${sender}-${order}`, flow: box.flow, to: box.to };
      const asked = random.below(100) < REPEATED ? 2 : 1;
      for (let time = 1; time <= asked; time++) {
        const message = await caller.send(letter);
        promised.push({ key: letter.key, message, sender, order, member: box.to, notice: box.notice });
      }
    }
  };
  const finished = Promise.all(conversations.map(sendFrom)).then(() => undefined);
  // Awaited later; a failure meanwhile must not count as unhandled.
  finished.catch(() => undefined);
  return { promised, finished };
}

export interface Reader {
  /** In the order the device told them, as they stand now. */
  shown(): Promise<Shown[]>;
  /** Resolves when everything told so far is opened and acknowledged. */
  idle(): Promise<void>;
}

/** Opens and acknowledges whatever the device tells of, in the order it comes. */
export function readAll({ device }: Resident): Reader {
  const told: MessageId[] = [];
  let working: Promise<void> = Promise.resolve();
  device.on(({ kind, message }) => {
    if ((kind !== 'received' && kind !== 'unreadable') || message === undefined) return;
    told.push(message);
    if (kind === 'received') working = working.then(() => openAndAcknowledge(device, message));
  });
  return {
    async shown() {
      const known = new Map((await device.inbox()).map((entry) => [entry.message, entry]));
      return told.flatMap((message) => {
        const entry = known.get(message);
        if (entry === undefined) return [];
        const { conversation, subject, state } = entry;
        return [{ device: device.identity.device, message, conversation, subject, state }];
      });
    },
    async idle() {
      for (let seen: Promise<void> | undefined; seen !== working; ) {
        seen = working;
        await seen;
      }
    },
  };
}

async function openAndAcknowledge(device: Device, message: MessageId): Promise<void> {
  await device.open(message);
  await device.acknowledge(message);
}
