/** The shapes in which events of the log are handed around. */
import type { LogEvent } from '@sealpost/protocol';

/** What an append gave: where the event stands and what opens its leaf. */
export interface Appended {
  readonly lane: number;
  /** From 1, without gaps in a lane. */
  readonly sequence: number;
  readonly leafHash: Uint8Array;
  /** Canonical JSON of the event. */
  readonly record: string;
  readonly salt: Uint8Array;
}

export interface LaneEvent {
  readonly event: LogEvent;
  readonly lane: number;
  readonly sequence: number;
}

export interface Sequenced {
  readonly position: number;
  readonly event: LogEvent;
}
