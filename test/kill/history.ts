/** What a run of the kill harness saw from outside, each thing as its witness told it; the judge needs nothing else. */
import type { EventOf, LogEvent } from '../../packages/protocol/src/index.ts';
import type { Told } from './replies.ts';

/** A 202: control answered this message for this key. */
export interface Promised {
  readonly key: string;
  readonly message: string;
  /** A sender sends one after another, in one conversation. */
  readonly sender: string;
  /** Counted by the sender from 0. */
  readonly order: number;
  readonly member: string;
  /** The channel of the flow's one notice. */
  readonly notice: string;
}

export interface Person {
  readonly member: string;
  readonly phone: string;
  readonly device: string;
  /** Whether the device was there all the time; only where it was not must a notice have gone out. */
  readonly online: boolean;
}

export interface Logged {
  readonly lane: number;
  readonly sequence: number;
  readonly event: LogEvent;
}

/** The device told its owner of a message; in the order it did. */
export interface Shown {
  readonly device: string;
  readonly message: string;
  readonly conversation: string;
  /** What the sender wrote as its subject: the key; empty when the message could not be read. */
  readonly subject: string;
  readonly state: 'received' | 'read' | 'acknowledged' | 'unreadable';
}

/** A message a provider brought to a phone, under the provider's name for it. */
export interface Effect {
  readonly channel: string;
  readonly id: string;
  readonly phone: string;
}

/** The provider's name for an attempt that was accepted. */
export interface Named {
  readonly channel: string;
  readonly id: string;
  readonly attempt: string;
}

/** What a person wrote back, and what the subscriber was told. */
export interface Replies {
  readonly written: readonly string[];
  readonly told: readonly Told[];
}

export interface History {
  readonly people: readonly Person[];
  /** Channels whose provider ignores a repeated attempt; the name of an effect there is the attempt itself. */
  readonly deduplicating: readonly string[];
  readonly promised: readonly Promised[];
  readonly logged: readonly Logged[];
  readonly shown: readonly Shown[];
  readonly effects: readonly Effect[];
  readonly named: readonly Named[];
  readonly replies: Replies;
}

export interface Finding {
  /** A message's id; an attempt's or a phone's where there is no one message. */
  readonly of: string;
  readonly what: string;
}

export interface Verdict {
  readonly lost: readonly Finding[];
  readonly doubled: readonly Finding[];
  readonly reordered: readonly Finding[];
  /** Attempts nobody can say of whether they had their effect; each was flagged. */
  readonly ambiguous: readonly string[];
}

export function eventsOf<K extends LogEvent['kind']>(logged: readonly Logged[], kind: K): EventOf<K>[] {
  return logged.flatMap(({ event }) => (isKind(event, kind) ? [event] : []));
}

function isKind<K extends LogEvent['kind']>(event: LogEvent, kind: K): event is EventOf<K> {
  return event.kind === kind;
}
