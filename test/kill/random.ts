/** Choices of one run from its seed (mulberry32): the same seed makes the same choices, though not the same timing. */
export interface Random {
  /** From 0 up to `limit`, exclusive. */
  below(limit: number): number;
  one<T>(of: readonly T[]): T;
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number) => Math.floor(next() * limit);
  return {
    below,
    one<T>(of: readonly T[]) {
      const chosen = of[below(of.length)];
      if (chosen === undefined) throw new TypeError('there is nothing to choose from');
      return chosen;
    },
  };
}
