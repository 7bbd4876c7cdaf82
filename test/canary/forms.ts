/**
 * The forms a text may take on a disk or in memory. Markers are letters and digits only: so JSON escapes, percent encoding
 * and base64url leave them as they are (62 and 63 never come up in base64 of such bytes). Base64 inside base64 is what a
 * signed object that carries another looks like.
 */

/** How a text is written, and the bytes that are in it wherever it is written so, whatever stands around it. */
export interface Form {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const ALIGNMENTS = [0, 1, 2] as const;
const LETTERS_AND_DIGITS = /^[A-Za-z0-9]+$/;

/** In an order that depends on nothing but the form. Throws for a text with other characters than letters and digits. */
export function formsOf(text: string): Form[] {
  if (!LETTERS_AND_DIGITS.test(text)) throw new TypeError('a marker is letters and digits only');
  const hex = Buffer.from(text).toString('hex');
  const form = (name: string, bytes: Uint8Array): Form => ({ name, bytes });
  return [
    form('utf-8', Buffer.from(text)),
    // From first letter to last: so it is the same in either byte order.
    form('utf-16', Buffer.from(text, 'utf16le').subarray(0, -1)),
    form('hex', Buffer.from(hex)),
    form('HEX', Buffer.from(hex.toUpperCase())),
    ...ALIGNMENTS.flatMap((outer) => {
      const once = insideBase64(text, outer);
      return [
        form(`base64 at ${outer}`, Buffer.from(once)),
        ...ALIGNMENTS.map((inner) =>
          form(`base64 at ${inner} in base64 of base64 at ${outer}`, Buffer.from(insideBase64(once, inner))),
        ),
      ];
    }),
  ];
}

/**
 * The base64 letters that `text` decides alone when `before` bytes (modulo 3) stand in front of it: the first and the last
 * letter may carry bits of a neighbour (RFC 4648 section 4).
 */
function insideBase64(text: string, before: number): string {
  const letters = Buffer.from('\0'.repeat(before) + text).toString('base64');
  return letters.slice(Math.ceil((before * 8) / 6), Math.floor(((before + text.length) * 8) / 6));
}
