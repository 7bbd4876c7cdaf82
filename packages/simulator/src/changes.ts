/** Says that something worth a look has changed; whoever listens asks what. */
export interface Changes {
  happened(): void;
  /** Answers how to stop listening. */
  onChange(listener: () => void): () => void;
}

export function createChanges(): Changes {
  const listeners = new Set<() => void>();
  return {
    happened() {
      for (const listener of listeners) listener();
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
