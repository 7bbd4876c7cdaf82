/** Numbers in a query string, which is text: digits are one, and nothing else that JavaScript would count as one. */
import { z } from 'zod';

const DIGITS = /^-?\d{1,16}$/;

/** Described as an integer; a blank, `0x10` or `1e3` is none, though `Number` takes them. */
export function queryIntegerSchema(min: number, max = Number.MAX_SAFE_INTEGER) {
  return z.preprocess(
    (text) => (typeof text === 'string' && DIGITS.test(text) ? Number(text) : text),
    z.int().min(min).max(max),
  );
}
