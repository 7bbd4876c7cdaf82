/** One thing at a time: work runs in the order it was given, and a failure is its own caller's alone. */

export interface Serial {
  run<T>(work: () => Promise<T>): Promise<T>;
  /** Resolves once everything given so far has ended. */
  idle(): Promise<void>;
}

export function createSerial(): Serial {
  let last: Promise<unknown> = Promise.resolve();
  return {
    run(work) {
      const mine = last.then(work);
      last = mine.catch(() => undefined);
      return mine;
    },
    async idle() {
      await last;
    },
  };
}
