/** The entry line's fast parser and its plain twin read the same lines, and both only what the writer writes. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type EntryLine, entryLine, parseEntryLine, placeSum, plainEntryLine } from '../src/export/line-schema.ts';

const base64 = fc.base64String({ maxLength: 60 });
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 30 }),
  fc.json({ maxDepth: 2 }),
  fc.constantFrom('', '"', '\\', ',"salt":"', '"record":', '","salt":"AA==","seq":1}', '\n\u2028\u0000', 'é🙂'),
);
const entry: fc.Arbitrary<EntryLine> = fc
  .record({
    position: fc.maxSafeNat(),
    lane: fc.nat(),
    seq: fc.nat(),
    leaf: base64,
    leafHash: base64,
    opening: fc.option(fc.record({ salt: base64, record: text.filter((one) => one.isWellFormed()) }), {
      nil: undefined,
    }),
  })
  .map(({ opening, ...rest }) => {
    const place = placeSum(rest.position, rest.lane, rest.seq);
    return opening === undefined ? { ...rest, place } : { ...rest, place, opening };
  });

describe('an entry line', () => {
  test('comes back from both parsers as it was written', () => {
    fc.assert(
      fc.property(entry, (one) => {
        expect(parseEntryLine(entryLine(one))).toEqual(one);
        expect(plainEntryLine(entryLine(one))).toEqual(one);
      }),
      { numRuns: 500 },
    );
  });

  test('with anything put in its place is read by both parsers or by neither', () => {
    const piece = fc.oneof(
      fc.string({ maxLength: 2 }),
      fc.constantFrom('0', '-', '.0', 'e1', ' ', '\\', '"', ',', '{', '\\u0061'),
    );
    fc.assert(
      fc.property(entry, fc.nat(), fc.nat({ max: 2 }), piece, (one, at, removed, added) => {
        const line = entryLine(one);
        const from = at % (line.length + 1);
        const changed = line.slice(0, from) + added + line.slice(from + removed);
        const fast = parseEntryLine(changed);
        expect(fast === undefined || entryLine(fast) === changed).toBe(true);
        // The plain twin takes any text for base64 and hex; the walk would refuse it a step later.
        if (fast !== undefined) expect(plainEntryLine(changed)).toEqual(fast);
      }),
      { numRuns: 3_000 },
    );
  });

  test('is refused when its members are doubled, reordered, spaced or escaped otherwise', () => {
    const line = entryLine({
      position: 1,
      lane: 2,
      seq: 3,
      leaf: 'AA==',
      leafHash: 'AA==',
      place: '00000000',
      opening: { salt: 'AA==', record: 'a/é' },
    });
    const others = [
      line.replace('"lane":2', '"lane":2,"lane":2'),
      line.replace(',"salt"', ', "salt"'),
      line.replace('a/é', 'a\\/é'),
      line.replace('é', '\\u00e9'),
      line.replace('"seq":3', '"seq":03'),
      line.replace('"seq":3', '"seq":9007199254740993'),
      line.replace('"salt":"AA==",', ''),
      line.replace('{', '{"erased":true,'),
      line.replace('"record":"a/é",', ''),
      `${line} `,
      `[${line}]`,
      '',
      'null',
    ];
    for (const other of others) {
      expect(parseEntryLine(other), other).toBeUndefined();
      expect(plainEntryLine(other), other).toBeUndefined();
    }
  });
});

describe('a place sum', () => {
  test('changes with any one digit of position, lane or sequence', () => {
    const sum = placeSum(1234, 56, 789);
    for (const other of [
      placeSum(1235, 56, 789),
      placeSum(1234, 57, 789),
      placeSum(1234, 56, 780),
      placeSum(123, 456, 789),
    ]) {
      expect(other).not.toBe(sum);
    }
  });
});
