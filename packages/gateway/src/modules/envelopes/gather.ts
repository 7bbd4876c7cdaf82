/**
 * Gathering lookups: callers that ask while a query is under way share the next one. A question is always answered by a
 * query that began after it was asked, so the answer is never older than the question.
 */
export interface Gathered<Key, Value> {
  /** Values by key; keys without one are left out. */
  get(keys: readonly Key[]): Promise<ReadonlyMap<Key, Value>>;
}

interface Round<Key, Value> {
  readonly keys: Set<Key>;
  readonly answer: Promise<ReadonlyMap<Key, Value>>;
}

export function gather<Key, Value>(
  load: (keys: readonly Key[]) => Promise<ReadonlyMap<Key, Value>>,
): Gathered<Key, Value> {
  let running: Promise<unknown> = Promise.resolve();
  let next: Round<Key, Value> | undefined;

  const open = (): Round<Key, Value> => {
    const keys = new Set<Key>();
    const answer = running.then(() => {
      next = undefined;
      return load([...keys]);
    });
    running = answer.catch(() => undefined);
    return { keys, answer };
  };

  return {
    get(keys) {
      next ??= open();
      for (const key of keys) next.keys.add(key);
      return next.answer;
    },
  };
}
