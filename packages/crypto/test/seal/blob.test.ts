/** Sealing and opening attachments, with the examples of RFC 8188. */
import { fromBase64url, fromUtf8, toBase64url, utf8 } from '@sealpost/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openRecords } from '../../src/open/blob.ts';
import { openBlob } from '../../src/open/index.ts';
import { sealRecords } from '../../src/seal/blob.ts';
import { sealBlob } from '../../src/seal/index.ts';

const bytes = (text: string) => fromBase64url(text) ?? new Uint8Array(0);
const KEY = bytes('yqdlZ-tYemfogSmv7Ws5PQ');
const SALT = bytes('I1BsxtFttlv3u_Oo94xnmw');
const WALRUS = utf8('I am the walrus');
const SEALED = 'I1BsxtFttlv3u_Oo94xnmwAAEAAA-NAVub2qFgBEuQKRapoZu-IxkIva3MEB1PD-ly8Thjg';

test('a single record is sealed as in RFC 8188 section 3.1, and opens', async () => {
  expect(toBase64url(await sealRecords(WALRUS, { key: KEY, salt: SALT, recordSize: 4096 }))).toBe(SEALED);
  expect(await openRecords(bytes(SEALED), KEY)).toEqual({ kind: 'ok', plaintext: WALRUS });
});

test('records with padding and a key id open as in RFC 8188 section 3.2', async () => {
  const sealed = bytes(
    'uNCkWiNYzKTnBN9ji3-qWAAAABkCYTHOG8chz_gnvgOqdGYovxyjuqRyJFjEDyoF1Fvkj6hQPdPHI51OEUKEpgz3SsLWIqS_uA',
  );
  const verdict = await openRecords(sealed, bytes('BO3ZVPxUlnLORbVGMpbT1Q'));
  expect(verdict.kind === 'ok' && fromUtf8(verdict.plaintext)).toBe('I am the walrus');
});

describe('a sealed blob', () => {
  const seal = (plaintext: Uint8Array) => sealBlob(plaintext, { key: KEY, salt: SALT });
  const ROOM = 65_536 - 17;

  test.each([0, 1, ROOM - 1, ROOM, ROOM + 1, 2 * ROOM, 3 * ROOM + 5])(
    'of %i octets opens to what was sealed',
    async (length) => {
      const plaintext = Uint8Array.from({ length }, (_, at) => at & 0xff);
      const verdict = await openBlob(await seal(plaintext), KEY);
      expect(
        verdict.kind === 'ok' &&
          verdict.plaintext.length === length &&
          toBase64url(verdict.plaintext) === toBase64url(plaintext),
      ).toBe(true);
    },
  );

  test('is refused after any bit is flipped, header included', async () => {
    const sealed = await seal(WALRUS);
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const flipped = sealed.map((octet, at) => (at === bit >> 3 ? octet ^ (1 << (bit & 7)) : octet));
      expect((await openBlob(flipped, KEY)).kind, `bit ${bit}`).toBe('refused');
    }
  });

  test('is refused when cut anywhere, also between records', async () => {
    const sealed = await seal(new Uint8Array(2 * ROOM + 9));
    const kindOf = async (end: number) => openBlob(sealed.subarray(0, end), KEY);
    expect(await kindOf(21 + 65_536)).toEqual({ kind: 'refused', reason: 'truncated' });
    expect(await kindOf(21 + 2 * 65_536)).toEqual({ kind: 'refused', reason: 'truncated' });
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: sealed.length - 1 }), async (end) => {
        expect((await kindOf(end)).kind).toBe('refused');
      }),
      { numRuns: 30 },
    );
  });

  test('is refused with records exchanged, doubled or added', async () => {
    const sealed = await seal(new Uint8Array(2 * ROOM).fill(3));
    const [head, a, b] = [sealed.subarray(0, 21), sealed.subarray(21, 21 + 65_536), sealed.subarray(21 + 65_536)];
    for (const records of [[b, a], [a, a, b], [a, b, b], [b]]) {
      const parts = [head, ...records];
      const whole = new Uint8Array(await new Blob(parts.map((part) => new Uint8Array(part))).arrayBuffer());
      expect((await openBlob(whole, KEY)).kind).toBe('refused');
    }
  });

  test('is refused under another key, with another record size and with a key id', async () => {
    expect(await openBlob(await seal(WALRUS), SALT)).toEqual({ kind: 'refused', reason: 'not-authentic' });
    expect(await openBlob(await seal(WALRUS), new Uint8Array(32))).toEqual({ kind: 'refused', reason: 'malformed' });
    expect(await openBlob(bytes(SEALED), KEY)).toEqual({ kind: 'refused', reason: 'malformed' });
  });

  test('is not made with a key or salt of another length', () => {
    expect(() => sealBlob(WALRUS, { key: new Uint8Array(32), salt: SALT })).toThrow(TypeError);
    expect(() => sealBlob(WALRUS, { key: KEY, salt: new Uint8Array(8) })).toThrow(TypeError);
  });

  test('gives no exception for bytes of any kind', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 100 }), async (noise) => {
        expect((await openBlob(noise, KEY)).kind).toBe('refused');
      }),
    );
  });
});
