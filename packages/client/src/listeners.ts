/** Who wants to be told. A listener that throws is its own caller's bug and stops nobody else. */

export interface Listeners<T> {
  tell(change: T): void;
  /** Answers how to stop. */
  on(listener: (change: T) => void): () => void;
}

export function createListeners<T>(): Listeners<T> {
  const listeners = new Set<(change: T) => void>();
  return {
    tell(change) {
      for (const listener of [...listeners]) {
        try {
          listener(change);
        } catch (error) {
          queueMicrotask(() => {
            throw error;
          });
        }
      }
    },
    on(listener) {
      const own = (change: T) => listener(change);
      listeners.add(own);
      return () => listeners.delete(own);
    },
  };
}
