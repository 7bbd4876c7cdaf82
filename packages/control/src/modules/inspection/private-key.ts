/** Private keys as text: PEM (RFC 7468) and OpenPGP (RFC 9580 section 6.2) armour, and PuTTY's own files. */
import type { Range } from './folded-text.ts';

const BEGIN = /-{5}BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-{5}/g;
const END = /-{5}END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-{5}/g;
const PUTTY = /PuTTY-User-Key-File-\d/g;

/** From BEGIN to its END; a block that is cut off counts to the end of the text. */
export function findPrivateKeys(text: string): Range[] {
  const found: Range[] = [];
  let from = 0;
  for (const begin of text.matchAll(BEGIN)) {
    if (begin.index < from) continue;
    END.lastIndex = begin.index;
    const end = END.exec(text);
    from = end === null ? text.length : end.index + end[0].length;
    found.push({ start: begin.index, end: from });
  }
  const [putty] = [...text.matchAll(PUTTY)];
  return putty === undefined ? found : [...found, { start: putty.index, end: text.length }];
}
