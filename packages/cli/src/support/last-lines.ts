/** The last lines of a file that may be very large: only its end is read. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

const READ_AT_MOST = 4 * 1024 * 1024;

export function lastLines(path: string, count: number): string[] {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const bytes = new Uint8Array(Math.min(size, READ_AT_MOST));
    readSync(file, bytes, 0, bytes.length, size - bytes.length);
    const lines = new TextDecoder()
      .decode(bytes)
      .split('\n')
      .filter((line) => line !== '');
    // The first may have been cut.
    return lines.slice(size > bytes.length ? 1 : 0).slice(-count);
  } finally {
    closeSync(file);
  }
}
