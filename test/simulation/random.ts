/**
 * Randomness of a simulated world: one 32-bit seed gives every number of a run. The generator is sfc32 (Chris Doty-Humphrey,
 * PractRand), filled by splitmix32 so that neighbouring seeds have nothing in common.
 */
export interface Random {
  /** An integer from 0 to `below` - 1. */
  integer(below: number): number;
  /** An integer from `least` to `most`, both included. */
  between(least: number, most: number): number;
  /** Whether something of this probability happens. */
  chance(probability: number): boolean;
  pick<T>(list: readonly T[]): T;
  bytes(length: number): Uint8Array;
  /** UUID version 4. */
  uuid(): string;
}

const WARM_UP = 12;

export function createRandom(seed: number): Random {
  let mixed = seed | 0;
  const fill = () => {
    mixed = (mixed + 0x9e3779b9) | 0;
    let word = mixed ^ (mixed >>> 16);
    word = Math.imul(word, 0x21f0aaad);
    word ^= word >>> 15;
    word = Math.imul(word, 0x735a2d97);
    return word ^ (word >>> 15);
  };
  let [a, b, c] = [fill(), fill(), fill()];
  let counter = 1;
  const next = () => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let round = 0; round < WARM_UP; round++) next();

  const integer = (below: number) => Math.floor((next() / 2 ** 32) * below);
  const bytes = (length: number) => Uint8Array.from({ length }, () => next() & 0xff);
  return {
    integer,
    between: (least, most) => least + integer(most - least + 1),
    chance: (probability) => next() / 2 ** 32 < probability,
    pick: (list) => list[integer(list.length)]!,
    bytes,
    uuid: () => uuidOf(bytes(16)),
  };
}

/** RFC 9562 section 5.4. */
function uuidOf(bytes: Uint8Array): string {
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Buffer.from(bytes).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
