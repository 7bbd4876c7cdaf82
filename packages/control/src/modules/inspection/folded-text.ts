/**
 * Text as a detector should see it: compatibility forms folded (Unicode NFKC, so full-width digits are digits), what
 * cannot be seen left out, letters lowered on request; and for each folded letter the place it came from, so that a find
 * can be redacted in what the person wrote.
 */
export interface FoldedText {
  readonly text: string;
  /** The range in the source that `[start, end)` of the folded text came from. */
  sourceRange(start: number, end: number): Range;
}

/** Half open, in UTF-16 code units. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** What a reader does not see (Unicode's Default_Ignorable_Code_Point) splits a number for us and not for them. */
const INVISIBLE = /^\p{Default_Ignorable_Code_Point}$/u;

export function fold(source: string, options: { readonly lower: boolean }): FoldedText {
  const letters: string[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  let at = 0;
  for (const letter of source) {
    const next = at + letter.length;
    const folded = INVISIBLE.test(letter) ? '' : foldLetter(letter, options.lower);
    for (let i = 0; i < folded.length; i++) {
      letters.push(folded.charAt(i));
      starts.push(at);
      ends.push(next);
    }
    at = next;
  }
  return {
    text: letters.join(''),
    sourceRange: (start, end) => ({ start: starts[start] ?? 0, end: ends[end - 1] ?? source.length }),
  };
}

function foldLetter(letter: string, lower: boolean): string {
  const plain = letter < '\u0080' ? letter : letter.normalize('NFKC');
  return lower ? plain.toLowerCase() : plain;
}
