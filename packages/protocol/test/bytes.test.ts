/** Base64url and canonical JSON: one value, one spelling. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson, fromBase64url, toBase64url, utf8 } from '../src/index.ts';

describe('base64url', () => {
  test('RFC 4648 section 10: the published examples, without padding', () => {
    for (const [text, encoded] of [
      ['', ''],
      ['f', 'Zg'],
      ['fo', 'Zm8'],
      ['foo', 'Zm9v'],
      ['foob', 'Zm9vYg'],
      ['fooba', 'Zm9vYmE'],
      ['foobar', 'Zm9vYmFy'],
    ] as const) {
      expect(toBase64url(utf8(text))).toBe(encoded);
      expect(fromBase64url(encoded)).toEqual(utf8(text));
    }
    expect(toBase64url(Uint8Array.of(0xfb, 0xff, 0xfe))).toBe('-__-');
  });

  test('every byte string comes back as it went', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(fromBase64url(toBase64url(bytes))).toEqual(bytes);
      }),
    );
  });

  test('a text is accepted only if it is the one spelling of its bytes', () => {
    const letters = fc.constantFrom(...'ABCDwxyz0189-_+/=é \n\u{80}\u{141}');
    fc.assert(
      fc.property(fc.string({ unit: letters, maxLength: 40 }), (text) => {
        const bytes = fromBase64url(text);
        if (bytes !== undefined) expect(toBase64url(bytes)).toBe(text);
      }),
      { numRuns: 2000 },
    );
    for (const other of ['Z', 'Zh', 'Zm9=', 'Zg==', 'Zm 9', 'Zm9v\n', 'Zm+/', 'Zm9'])
      expect(fromBase64url(other)).toBeUndefined();
  });
});

describe('canonical JSON', () => {
  test('members are ordered by UTF-16 code units (RFC 8785 section 3.2.3)', () => {
    const value = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\u{1f600}': 5, '\u0080': 6, '\u00f6': 7 };
    const names = Object.keys(JSON.parse(canonicalJson(value)));
    expect(canonicalJson(value)).toBe('{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\u{1f600}":5,"\ufb33":3}');
    expect(names).toHaveLength(7);
  });

  test('whatever JSON with whole numbers goes in, parsing gives it back and the text does not depend on member order', () => {
    const json = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.string(),
        fc.maxSafeInteger(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(fc.string(), tie('value'), { maxKeys: 4, noNullPrototype: true }),
      ),
    })).value;
    fc.assert(
      fc.property(json, (value) => {
        const text = canonicalJson(value);
        expect(canonicalJson(JSON.parse(text))).toBe(text);
      }),
    );
  });

  test('what has no single form is refused: fractions, unsafe integers, lone surrogates, other types', () => {
    for (const value of [0.5, 2 ** 53, Number.NaN, '\ud800', 1n, () => 1, Symbol('x')])
      expect(() => canonicalJson(value)).toThrow(TypeError);
    expect(canonicalJson({ a: undefined, b: -0 })).toBe('{"b":0}');
  });
});
