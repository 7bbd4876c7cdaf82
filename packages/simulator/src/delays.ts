/**
 * Waiting that ends when the simulator stops. A delay that was cut short says so, and its caller then does nothing more.
 */
export interface Delays {
  /** Whether the full time has passed. */
  pause(milliseconds: number): Promise<boolean>;
  /** Aborted when the simulator stops. */
  readonly signal: AbortSignal;
  stop(): void;
}

export function createDelays(): Delays {
  const stopping = new AbortController();
  return {
    signal: stopping.signal,
    pause(milliseconds) {
      if (stopping.signal.aborted) return Promise.resolve(false);
      return new Promise((resolve) => {
        const settle = (passed: boolean): void => {
          clearTimeout(timer);
          stopping.signal.removeEventListener('abort', cut);
          resolve(passed);
        };
        const cut = (): void => settle(false);
        const timer = setTimeout(settle, milliseconds, true);
        stopping.signal.addEventListener('abort', cut);
      });
    },
    stop: () => stopping.abort(),
  };
}
