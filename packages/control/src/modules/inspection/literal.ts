/** Literal text of a rule, wherever it stands; both sides are folded and lowered by the caller. */
import type { Range } from './folded-text.ts';

export function findLiteral(text: string, literal: string): Range[] {
  if (literal.length === 0) return [];
  const found: Range[] = [];
  for (let at = text.indexOf(literal); at !== -1; at = text.indexOf(literal, at + literal.length)) {
    found.push({ start: at, end: at + literal.length });
  }
  return found;
}
