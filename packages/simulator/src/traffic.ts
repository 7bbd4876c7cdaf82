/**
 * Everything a carrier was sent that it can read: addresses, texts, links. Kept so that a test or a demo can search it
 * for what must not be there. Credentials are left out; the oldest entries are dropped beyond a fixed number.
 */
import type { Carrier } from './faults.ts';

const MAX_ENTRIES = 10_000;

export interface TrafficEntry {
  /** Counts up from 1. */
  readonly id: number;
  readonly carrier: Carrier;
  /** ISO 8601. */
  readonly at: string;
  /** The protocol's name of the operation: `POST /v1/phones/…`, `submit_sm`. */
  readonly operation: string;
  /** Who says to send it: an RCS agent, an SMS source address. */
  readonly sender: string | undefined;
  readonly address: string | undefined;
  readonly text: string;
  /** The request as it arrived: JSON text for RBM, hexadecimal octets of the short message for an SMSC. */
  readonly raw: string;
  /** The status it was turned away with; absent where it was taken. It could be read all the same. */
  readonly refused?: number;
}

export interface Traffic {
  record(entry: Omit<TrafficEntry, 'id' | 'at'>): void;
  list(): readonly TrafficEntry[];
}

export function createTraffic(now: () => number, changed: () => void = () => undefined): Traffic {
  const entries: TrafficEntry[] = [];
  let last = 0;
  return {
    record(entry) {
      last += 1;
      entries.push({ id: last, ...entry, at: new Date(now()).toISOString() });
      if (entries.length > MAX_ENTRIES) entries.shift();
      changed();
    },
    list: () => entries,
  };
}
