/**
 * Everything a carrier was sent that it can read: addresses, texts, links. Kept so that a test or a demo can search it
 * for what must not be there. Credentials are left out; the oldest entries are dropped beyond a fixed number.
 */
import type { Carrier } from './faults.ts';

const MAX_ENTRIES = 10_000;

export interface TrafficEntry {
  readonly carrier: Carrier;
  /** ISO 8601. */
  readonly at: string;
  /** The protocol's name of the operation: `POST /v1/phones/…`, `submit_sm`. */
  readonly operation: string;
  readonly address: string | undefined;
  readonly text: string;
  /** The request as it arrived: JSON text for RBM, hexadecimal octets of the short message for an SMSC. */
  readonly raw: string;
}

export interface Traffic {
  record(entry: Omit<TrafficEntry, 'at'>): void;
  list(): readonly TrafficEntry[];
}

export function createTraffic(now: () => number): Traffic {
  const entries: TrafficEntry[] = [];
  return {
    record(entry) {
      entries.push({ ...entry, at: new Date(now()).toISOString() });
      if (entries.length > MAX_ENTRIES) entries.shift();
    },
    list: () => entries,
  };
}
