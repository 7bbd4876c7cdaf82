/**
 * Reads the TLS presentation language of MLS (RFC 9420 section 2.1) forwards, strictly: lengths in their shortest form,
 * nothing past the end. Every method answers `undefined` on input that is not so, and stays there.
 */
export interface TlsReader {
  uint8(): number | undefined;
  uint16(): number | undefined;
  uint32(): number | undefined;
  uint64(): bigint | undefined;
  /** A variable-size vector (section 2.1.2) as a view of the input. */
  bytes(): Uint8Array | undefined;
  /** A reader of the inside of a vector. */
  inside(): TlsReader | undefined;
  /** Where the next value starts. */
  position(): number;
  /** True when everything has been read and nothing was wrong. */
  isAtEnd(): boolean;
}

export function readTls(input: Uint8Array): TlsReader {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  let at = 0;
  let failed = false;

  function take<T>(length: number, read: (from: number) => T): T | undefined {
    if (failed || at + length > input.length) {
      failed = true;
      return undefined;
    }
    const from = at;
    at += length;
    return read(from);
  }

  /** Two bits say whether the length takes 1, 2 or 4 bytes; a longer form than needed is an error. */
  function length(): number | undefined {
    const first = take(1, (from) => view.getUint8(from));
    if (first === undefined) return undefined;
    const form = first >> 6;
    if (form === 0) return first;
    at -= 1;
    const [size, least] = form === 1 ? [2, 64] : [4, 16384];
    const value = form === 3 ? undefined : take(size, (from) => readLength(view, from, size));
    if (value === undefined || value < least) {
      failed = true;
      return undefined;
    }
    return value;
  }

  function bytes(): Uint8Array | undefined {
    const size = length();
    return size === undefined ? undefined : take(size, (from) => input.subarray(from, from + size));
  }

  return {
    uint8: () => take(1, (from) => view.getUint8(from)),
    uint16: () => take(2, (from) => view.getUint16(from)),
    uint32: () => take(4, (from) => view.getUint32(from)),
    uint64: () => take(8, (from) => view.getBigUint64(from)),
    bytes,
    inside: () => {
      const content = bytes();
      return content === undefined ? undefined : readTls(content);
    },
    position: () => at,
    isAtEnd: () => !failed && at === input.length,
  };
}

function readLength(view: DataView, from: number, size: number): number {
  return size === 2 ? view.getUint16(from) & 0x3fff : view.getUint32(from) & 0x3fffffff;
}
