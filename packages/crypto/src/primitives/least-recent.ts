/** A bounded cache that forgets what was used least recently. Only for pure functions of the key. */
export function leastRecent<V>(capacity: number): {
  get(key: string): V | undefined;
  set(key: string, value: V): void;
} {
  const entries = new Map<string, V>();
  return {
    get(key) {
      const value = entries.get(key);
      if (value === undefined) return undefined;
      entries.delete(key);
      entries.set(key, value);
      return value;
    },
    set(key, value) {
      entries.set(key, value);
      if (entries.size <= capacity) return;
      const oldest = entries.keys().next();
      if (!oldest.done) entries.delete(oldest.value);
    },
  };
}
