/** Records read back from our own table. They were checked when they were written and their leaf commits to every byte. */
import type { LogEvent } from '@sealpost/protocol';

export function eventOfRecord(record: string): LogEvent {
  return JSON.parse(record) as LogEvent;
}
