/**
 * How many messages may be under way to one SMSC at once. Who waits too long for a place is told so and has sent nothing.
 */
export interface SendWindow {
  /** Whether a place was had within `patienceMs`; each place had must be given back with `leave`. */
  enter(patienceMs: number): Promise<boolean>;
  leave(): void;
}

export function createSendWindow(size: number): SendWindow {
  let taken = 0;
  const waiting = new Set<(entered: boolean) => void>();
  return {
    enter(patienceMs) {
      if (taken < size) {
        taken += 1;
        return Promise.resolve(true);
      }
      return new Promise((resolve) => {
        const settle = (entered: boolean): void => {
          clearTimeout(timer);
          waiting.delete(settle);
          resolve(entered);
        };
        const timer = setTimeout(settle, patienceMs, false);
        waiting.add(settle);
      });
    },
    leave() {
      const [next] = waiting;
      if (next === undefined) taken -= 1;
      else next(true);
    },
  };
}
