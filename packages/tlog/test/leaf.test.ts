/** What a leaf says, and that a record can be erased without touching it (DESIGN.md section 8). */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { commitRecord, leafData, leafHash, parseLeafData } from '../src/index.ts';
import { bytesOf, toHex } from './sample-log.ts';

const salt = Uint8Array.from({ length: 32 }, (_, i) => i);
const commitment = commitRecord(salt, bytesOf('{"to":"anna"}'));
const leaf = { kind: 'receipt/delivered', time: 1_790_000_000_000, commitment };

describe('a leaf', () => {
  test('has recorded bytes and a recorded hash', () => {
    expect(toHex(commitment)).toBe('3eb06953a33e7e114bd1e07e6a883a44ea4fc8fb3003b853969161d5ccfc9d03');
    expect(new TextDecoder().decode(leafData(leaf))).toBe(
      `sealpost/leaf/v1\nreceipt/delivered\n1790000000000\n${toHex(commitment)}\n`,
    );
    expect(toHex(leafHash(leafData(leaf)))).toBe('fe1bed053e6f0e1d4a8cd2a1c85c62af0ff2177351fface94ebdb18f1c38efb4');
  });

  test('comes back from its bytes', () => {
    const kind = fc.stringMatching(/^[a-z][a-z0-9._:/-]{0,63}$/);
    const any = fc.record({ kind, time: fc.maxSafeNat(), commitment: fc.uint8Array({ minLength: 32, maxLength: 32 }) });
    fc.assert(
      fc.property(any, (one) => {
        expect(parseLeafData(leafData(one))).toEqual({ kind: 'parsed', leaf: one });
      }),
    );
  });

  test('is malformed in any other form', () => {
    const text = new TextDecoder().decode(leafData(leaf));
    const forms = [
      '',
      text.trimEnd(),
      `${text}\n`,
      `${text}x`,
      `\ufeff${text}`,
      text.replace('v1', 'v2'),
      text.replace('receipt', 'Receipt'),
      text.replace('\n179', '\n0179'),
      text.replace('1790000000000', '9007199254740993'),
      text.toUpperCase(),
      `${text.slice(0, -2)}\n`,
    ];
    for (const form of forms) expect(parseLeafData(bytesOf(form)).kind, JSON.stringify(form)).toBe('malformed');
    expect(parseLeafData(Uint8Array.of(0xff)).kind).toBe('malformed');
  });

  test('cannot be made of a kind, time or commitment outside its range', () => {
    for (const wrong of [{ kind: 'a\nb' }, { kind: '' }, { time: 1.5 }, { time: -1 }, { commitment: salt.slice(1) }]) {
      expect(() => leafData({ ...leaf, ...wrong })).toThrow(/outside its range/);
    }
  });
});

describe('a commitment', () => {
  test('needs a salt of exactly 32 bytes', () => {
    expect(() => commitRecord(salt.slice(1), bytesOf('{}'))).toThrow(/32 bytes/);
  });

  test('is another for another salt or record, wherever the boundary between them is', () => {
    const other = salt.slice();
    other[31] = 0;
    expect(commitRecord(other, bytesOf('{"to":"anna"}'))).not.toEqual(commitment);
    expect(commitRecord(salt, bytesOf('{"to":"annb"}'))).not.toEqual(commitment);
  });
});
