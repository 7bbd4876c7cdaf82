/**
 * Faults a carrier can be told to show. A fault holds for every event, for the next `count` events, or for a share `rate`
 * of them, until it is replaced or cleared; several hold at once by share, and of one event's faults one strikes. `refuse`
 * and `unauthorized` also act on standing connections, so a carrier may listen for changes.
 */
export const FAULT_KINDS = [
  'ok',
  '400',
  '403',
  '404',
  '429',
  '500',
  '503',
  'refuse',
  'reset',
  'timeout-before-effect',
  'timeout-after-effect',
  'slow',
  'malformed',
  'unauthorized',
  'duplicate-receipt',
  'late-receipt',
  'early-receipt',
  'unknown-receipt',
  'forged-signature',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export const CARRIERS = ['rbm', 'smsc'] as const;
export type Carrier = (typeof CARRIERS)[number];

export interface Fault {
  readonly kind: FaultKind;
  /** Share of events it strikes, from 0 to 1. */
  readonly rate?: number | undefined;
  /** How many more events it strikes before it clears itself. */
  readonly count?: number | undefined;
  /** How long `slow` holds an answer and `late-receipt` a receipt; without it a late receipt waits for the fault to end. */
  readonly delayMs?: number | undefined;
}

export const NO_FAULT: Fault = { kind: 'ok' };

/** Which of a carrier's doings a fault strikes; a fault is used up only where it strikes. */
const STRIKES = {
  call: [
    '400',
    '403',
    '404',
    '429',
    '500',
    '503',
    'reset',
    'timeout-before-effect',
    'timeout-after-effect',
    'slow',
    'malformed',
    'early-receipt',
  ],
  connection: ['refuse', 'unauthorized'],
  receipt: ['duplicate-receipt', 'late-receipt', 'unknown-receipt'],
  signature: ['forged-signature'],
} as const satisfies Record<string, readonly FaultKind[]>;
export type FaultPoint = keyof typeof STRIKES;

export interface Faults {
  /** The fault that strikes this event, or `NO_FAULT`; counts it. */
  strike(point: FaultPoint): Fault;
  /** The faults in force, uncounted; `NO_FAULT` alone where there is none. */
  current(): readonly [Fault, ...Fault[]];
  holds(kind: FaultKind): boolean;
  /** Replaces what held before. */
  set(fault: Fault, ...more: readonly Fault[]): void;
  /** Called after each change, and waited for. */
  onChange(listener: () => Promise<void>): void;
  /** Resolves when the listeners have acted on the last change. */
  settled(): Promise<void>;
}

export function createFaults(random: () => number): Faults {
  let inForce: readonly [Fault, ...Fault[]] = [NO_FAULT];
  const listeners: (() => Promise<void>)[] = [];
  let acting = Promise.resolve();

  function change(...next: readonly [Fault, ...Fault[]]): void {
    inForce = next;
    acting = acting.then(async () => {
      for (const listener of listeners) await listener();
    });
  }

  return {
    strike(point) {
      const points: readonly FaultKind[] = STRIKES[point];
      // One draw for all of them: shares add up, so 10 % and 8 % leave 82 % of the events alone.
      let left = random();
      for (const struck of inForce.filter(({ kind }) => points.includes(kind))) {
        const share = struck.rate ?? 1;
        if (left >= share) {
          left -= share;
          continue;
        }
        if (struck.count !== undefined) change(struck.count > 1 ? { ...struck, count: struck.count - 1 } : NO_FAULT);
        return struck;
      }
      return NO_FAULT;
    },
    current: () => inForce,
    holds: (wanted) => inForce.some(({ kind }) => kind === wanted),
    set: change,
    onChange: (listener) => void listeners.push(listener),
    settled: () => acting,
  };
}
