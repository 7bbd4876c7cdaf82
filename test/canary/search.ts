/**
 * Looks for markers in every form at once, in streams of any length. Markers of one search begin alike, so one pass for
 * the common beginning finds all of them, cut short ones too; which it was is looked at only where something was found.
 */
import { type Form, formsOf } from './forms.ts';

export interface Hit {
  /** `cut short` where only the common beginning is there. */
  readonly marker: string;
  readonly form: string;
  readonly at: number;
}

/** Holds a chunk at a time, and as much of the one before as a marker is long. */
export type Search = (chunks: Iterable<Uint8Array>) => Hit[];

/** Below this a common beginning would be found by chance in gigabytes of anything. */
const SHORTEST = 12;

/** `markers`: text by name. Throws when their common beginning is too short to mean anything. */
export function createSearch(markers: Readonly<Record<string, string>>): Search {
  const stem = commonBeginning(Object.values(markers));
  if (stem.length < SHORTEST) throw new TypeError(`markers must share their first ${SHORTEST} characters`);
  const whole = Object.entries(markers).map(([marker, text]) => ({ marker, forms: formsOf(text) }));
  const stems = formsOf(stem).map((form, at) => ({ ...form, whole: wholeIn(whole, at) }));
  const longest = Math.max(...stems.flatMap((each) => each.whole.map(({ bytes }) => bytes.length)));

  /** Hits that begin before `end`. */
  const hitsIn = (window: Buffer, offset: number, end: number): Hit[] =>
    stems.flatMap(({ name, bytes, whole: candidates }) =>
      positionsOf(window, bytes, end).map((at) => ({
        marker: candidates.find((each) => startsAt(window, at, each.bytes))?.marker ?? 'cut short',
        form: name,
        at: offset + at,
      })),
    );

  return (chunks) => {
    const hits: Hit[] = [];
    let [window, offset]: [Buffer, number] = [Buffer.alloc(0), 0];
    for (const chunk of chunks) {
      window = Buffer.concat([window, chunk]);
      const end = Math.max(0, window.length - longest + 1);
      hits.push(...hitsIn(window, offset, end));
      window = window.subarray(end);
      offset += end;
    }
    return [...hits, ...hitsIn(window, offset, window.length)];
  };
}

/** Of each marker its bytes in the form at this place of the list; longer names first, as one may begin another. */
function wholeIn(whole: readonly { readonly marker: string; readonly forms: readonly Form[] }[], at: number) {
  return whole
    .flatMap(({ marker, forms }) => {
      const bytes = forms[at]?.bytes;
      return bytes === undefined ? [] : [{ marker, bytes }];
    })
    .sort((a, b) => b.bytes.length - a.bytes.length);
}

function positionsOf(window: Buffer, bytes: Uint8Array, end: number): number[] {
  const positions: number[] = [];
  for (let at = window.indexOf(bytes); at !== -1 && at < end; at = window.indexOf(bytes, at + 1)) positions.push(at);
  return positions;
}

function startsAt(window: Buffer, at: number, bytes: Uint8Array): boolean {
  return window.subarray(at, at + bytes.length).equals(bytes);
}

function commonBeginning([first = '', ...others]: readonly string[]): string {
  let length = first.length;
  while (!others.every((each) => each.startsWith(first.slice(0, length)))) length -= 1;
  return first.slice(0, length);
}
