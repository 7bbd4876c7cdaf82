/**
 * Server-sent events (HTML Standard, section 9.2.6), of which only the data counts here: bytes go in as they come, the data of
 * each finished event comes out. An event larger than the limit is passed over, and the next one read.
 */

export function createEventReader(limit: number): (chunk: Uint8Array) => string[] {
  const decoder = new TextDecoder();
  let rest = '';
  let data: string[] = [];
  let size = 0;

  function line(text: string, found: string[]): void {
    if (text === '') {
      if (data.length > 0 && size <= limit) found.push(data.join('\n'));
      data = [];
      size = 0;
    } else if (text.startsWith('data:')) {
      size += text.length;
      if (size <= limit) data.push(text.slice(text.startsWith('data: ') ? 6 : 5));
    }
  }

  return (chunk) => {
    const found: string[] = [];
    // A carriage return at the end may be half of a line's end.
    const lines = (rest + decoder.decode(chunk, { stream: true })).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    for (const text of lines) line(text, found);
    if (rest.length > limit) {
      size = Number.POSITIVE_INFINITY;
      // What is left of this line is read as a comment.
      rest = ':';
    }
    return found;
  };
}
