/**
 * Padding of split content, ISO/IEC 7816-4, to a multiple of a quarter of the power of two below its length (PADMÉ, Nikitin
 * et al. 2019, in coarser steps) and of 4 KiB at least: the length of what is stored tells little of what was written.
 */
const MARK = 0x80;
const LEAST = 4096;

export function padTo(content: Uint8Array): Uint8Array {
  const needed = content.length + 1;
  const step = Math.max(LEAST, 2 ** (Math.floor(Math.log2(needed)) - 2));
  const padded = new Uint8Array(Math.ceil(needed / step) * step);
  padded.set(content);
  padded[content.length] = MARK;
  return padded;
}

/** `undefined` where there is no mark: then it was not padded here. */
export function unpad(padded: Uint8Array): Uint8Array | undefined {
  const end = padded.findLastIndex((octet) => octet !== 0);
  return padded[end] === MARK ? padded.subarray(0, end) : undefined;
}
