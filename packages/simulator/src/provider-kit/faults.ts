/**
 * Faults of the HTTP providers on the kit: one at a time, for every message or for the next `count`. The carriers `rbm` and
 * `smsc` have a table of their own, because theirs are set over the control API and by share.
 */
export const PROVIDER_FAULTS = [
  'busy',
  'failing',
  'rejected',
  'unauthorized',
  'capability-withdrawn',
  'refuse',
  'reset',
  'timeout-before-effect',
  'timeout-after-effect',
  'drip',
  'malformed',
  'oversized',
  'duplicate-receipt',
  'late-receipt',
  'early-receipt',
  'reordered-receipt',
  'unknown-receipt',
  'forged-signature',
] as const;
export type ProviderFault = (typeof PROVIDER_FAULTS)[number];

export interface ProviderFaults {
  /** The fault that strikes this message; counts it. */
  strike(): ProviderFault | undefined;
  holds(fault: ProviderFault): boolean;
  set(fault: ProviderFault | undefined, count?: number): void;
}

export function createProviderFaults(): ProviderFaults {
  let inForce: ProviderFault | undefined;
  let left = Number.POSITIVE_INFINITY;
  return {
    strike() {
      const struck = inForce;
      left -= 1;
      if (left <= 0) inForce = undefined;
      return struck;
    },
    holds: (fault) => inForce === fault,
    set(fault, count = Number.POSITIVE_INFINITY) {
      inForce = fault;
      left = count;
    },
  };
}
