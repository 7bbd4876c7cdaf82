/** A tar archive of small text files (POSIX.1-1988 ustar, the form every tar reads), gzipped. Owner, time and mode say nothing. */
import { gzipSync } from 'node:zlib';
import { concatBytes, utf8 } from '@sealpost/protocol';

export interface TextFile {
  /** At most 100 ASCII characters, relative. */
  readonly name: string;
  readonly text: string;
}

const BLOCK = 512;

export function tarGz(files: readonly TextFile[]): Uint8Array {
  const entries = files.flatMap(({ name, text }) => {
    const data = utf8(text);
    return [header(name, data.length), data, new Uint8Array(-data.length & (BLOCK - 1))];
  });
  // The end is two empty blocks.
  return new Uint8Array(gzipSync(concatBytes(...entries, new Uint8Array(2 * BLOCK))));
}

function header(name: string, size: number): Uint8Array {
  const block = new Uint8Array(BLOCK);
  const put = (offset: number, text: string) => block.set(utf8(text), offset);
  const octal = (value: number, width: number) => `${value.toString(8).padStart(width - 1, '0')}\0`;
  put(0, name);
  put(100, octal(0o600, 8));
  put(108, octal(0, 8));
  put(116, octal(0, 8));
  put(124, octal(size, 12));
  put(136, octal(0, 12));
  // The checksum is counted with its own field full of spaces.
  put(148, ' '.repeat(8));
  put(156, '0');
  put(257, 'ustar\x0000');
  put(
    148,
    `${octal(
      block.reduce((sum, byte) => sum + byte, 0),
      7,
    )} `,
  );
  return block;
}
