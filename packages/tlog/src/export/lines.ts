/**
 * From the bytes of an export file to its lines, strictly: a newline (0x0A) ends a line and nothing else does, text is
 * valid UTF-8 (RFC 3629), a byte order mark is not dropped, the last line is ended too. General line readers break all
 * four (Node's readline also splits at carriage returns), and each would let some changed byte pass unseen.
 */
import { concatBytes, fromUtf8 } from '../bytes.ts';

/** Stands for a line that cannot be read. It is no JSON, so the verifier refuses it and names the entry it stood for. */
export const UNREADABLE_LINE = '\ufffd';

/** Bytes; far above any record, so that a file without newlines cannot fill the memory. */
const MAX_LINE_LENGTH = 16 * 1024 * 1024;
const NEWLINE = 0x0a;

type Chunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/**
 * The lines of a file, newlines removed. A line that is not UTF-8, is longer than 16 MiB or lacks its newline at the end of
 * the file comes out as `UNREADABLE_LINE`. Errors of `chunks` pass through.
 */
export async function* linesOf(chunks: Chunks): AsyncGenerator<string> {
  for await (const page of pagesOf(chunks)) yield* page;
}

/** The same, as many at once as a chunk ends: to wait for each line costs a tenth of verifying it. */
export async function* pagesOf(chunks: Chunks): AsyncGenerator<readonly string[]> {
  let held: Uint8Array[] = [];
  let heldLength = 0;
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf(NEWLINE);
    if (end >= 0) {
      yield completeLines(concatBytes(...held, chunk.subarray(0, end)));
      held = [];
      heldLength = 0;
    }
    const rest = chunk.slice(end + 1);
    heldLength += rest.length;
    // Too much is dropped at once; one invalid byte stays, which makes the line unreadable when its end comes.
    if (heldLength > MAX_LINE_LENGTH) held = [Uint8Array.of(0xff)];
    else held.push(rest);
  }
  if (heldLength > 0) yield [UNREADABLE_LINE];
}

/** Lines of bytes that end just before a newline. */
function completeLines(bytes: Uint8Array): string[] {
  const text = fromUtf8(bytes);
  if (text !== undefined) return text.split('\n');
  const lines: string[] = [];
  for (let start = 0; start <= bytes.length; ) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline < 0 ? bytes.length : newline;
    lines.push(fromUtf8(bytes.subarray(start, end)) ?? UNREADABLE_LINE);
    start = end + 1;
  }
  return lines;
}
