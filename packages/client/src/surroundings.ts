/** What a device takes from where it runs: the clock, randomness, the network, and waiting. */
import type { Timestamp } from '@sealpost/protocol';

export interface ClientSurroundings {
  /** Milliseconds since the Unix epoch. */
  now(): Timestamp;
  /** Unpredictable bytes. */
  random(length: number): Uint8Array;
  /** The platform's when absent. */
  readonly fetch?: typeof fetch;
  /** Runs something once after `ms`; answers how to call it off. The platform's timer when absent. */
  after?(ms: number, run: () => void): () => void;
}

export function afterOf({ after }: ClientSurroundings): (ms: number, run: () => void) => () => void {
  if (after !== undefined) return after;
  return (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  };
}

export function fetchOf(surroundings: ClientSurroundings): typeof fetch {
  return surroundings.fetch ?? ((input, init) => globalThis.fetch(input, init));
}
