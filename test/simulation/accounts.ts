/** What the judge knows of a message, from what was committed and from nothing delivery says of itself. */
import type { CompiledFlow, EventOf } from '@sealpost/protocol';

export interface Account {
  /** What a person reading a trace calls it. */
  readonly name: string;
  readonly accepted: EventOf<'message.accepted'>;
  readonly flow: CompiledFlow;
  readonly sequence: number;
  readonly steps: Set<number>;
  readonly taken: Set<number>;
  readonly gaveUp: Set<number>;
  /** Steps the timeline says are left, with nobody to try again: no other try may follow. */
  readonly left: Set<number>;
  readonly attempts: Map<string, AttemptAccount>;
  readonly deviceReceipts: Set<string>;
  /** Effects at providers, by step. */
  readonly effects: Map<number, number>;
  deviceHasIt: boolean;
  confirmed: boolean;
  ended: string | undefined;
  /** Since the sender took it back, by commit. */
  revokedAt: number | undefined;
  /** The commit after which no notice may be claimed and sent. */
  closedAt: number | undefined;
  toDevices: boolean;
  atOnce: boolean;
  aside: boolean;
}

export interface AttemptAccount {
  readonly step: number;
  readonly adapter: string;
  readonly receipts: Set<string>;
  /** How often its provider was told to take it back, and how often that was answered. */
  asked: number;
  answered: number;
  /** A provider took a try of it, or may have. */
  mayHaveIt: boolean;
  /** Tries a dispatcher took up. */
  readonly claimed: Set<number>;
  /** Who has it. */
  vendor: string;
  /** The last try went to another vendor than the one before. */
  moved: boolean;
  tries: number;
  open: boolean;
  ambiguous: boolean;
  ambiguousLast: boolean;
  endedAt: number;
  /** What the provider last asked to wait. */
  waitMs: number;
}

export function newAccount(
  accepted: EventOf<'message.accepted'>,
  flow: CompiledFlow,
  sequence: number,
  number: number,
): Account {
  return {
    ...{ name: `message ${number}`, accepted, flow, sequence },
    ...{ steps: new Set(), taken: new Set(), gaveUp: new Set(), left: new Set(), attempts: new Map() },
    ...{ deviceReceipts: new Set(), effects: new Map() },
    ...{ deviceHasIt: false, confirmed: false, ended: undefined, revokedAt: undefined, closedAt: undefined },
    ...{ toDevices: false, atOnce: false, aside: false },
  };
}

export function newAttempt({ step, vendor, channel }: EventOf<'attempt.started'>, adapter: string): AttemptAccount {
  return {
    ...{ step, adapter, vendor: vendor ?? channel, moved: false, receipts: new Set(), claimed: new Set(), tries: 0 },
    ...{
      open: false,
      ambiguous: false,
      ambiguousLast: false,
      endedAt: 0,
      waitMs: 0,
      asked: 0,
      answered: 0,
      mayHaveIt: false,
    },
  };
}
