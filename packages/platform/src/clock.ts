/** Time and randomness as parameters: the only place that reads the machine's clock and its random source. */
import { randomBytes, randomUUID } from 'node:crypto';
import { type MessageId, newMessageId, type Timestamp } from '@sealpost/protocol';

export interface Surroundings {
  /** Milliseconds since the Unix epoch. */
  now(): Timestamp;
  random(length: number): Uint8Array;
  /** UUID version 4. */
  uuid(): string;
  /** UUID version 7 of now. */
  messageId(): MessageId;
}

export function systemSurroundings(): Surroundings {
  const now = () => Date.now();
  const random = (length: number) => new Uint8Array(randomBytes(length));
  return { now, random, uuid: () => randomUUID(), messageId: () => newMessageId(now(), random(10)) };
}
