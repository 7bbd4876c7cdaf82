/** How a message stands, in words. */
import type { ConsoleMessage, Timestamp } from '@sealpost/protocol';

export const STATE_WORDS: Readonly<Record<ConsoleMessage['state'], string>> = {
  stored: 'Sealed; the gateway has not taken it yet',
  accepted: 'Accepted; no device has it yet',
  delivered: 'Delivered to a device',
  read: 'Read',
  acknowledged: 'Acknowledged',
  expired: 'Expired',
  undeliverable: 'Not deliverable',
  revoked: 'Taken back by its sender',
};

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** The time from one moment to a later one, as short as it can be told apart from its neighbours. */
export function elapsed(from: Timestamp, to: Timestamp): string {
  const time = Math.max(0, to - from);
  if (time < 10) return 'at once';
  if (time < SECOND) return `after ${time} ms`;
  if (time < MINUTE) return `after ${(time / SECOND).toFixed(1)} s`;
  const unit = time < HOUR ? SECOND : MINUTE;
  return `after ${duration(Math.floor(time / unit) * unit)}`;
}

/** A time a person chose: "4 h", "1 min 30 s". */
export function duration(time: number): string {
  const parts = [
    [Math.floor(time / HOUR), 'h'],
    [Math.floor((time % HOUR) / MINUTE), 'min'],
    [(time % MINUTE) / SECOND, 's'],
  ] as const;
  const told = parts.filter(([count]) => count > 0).map(([count, unit]) => `${count} ${unit}`);
  return told.length === 0 ? 'at once' : told.join(' ');
}
