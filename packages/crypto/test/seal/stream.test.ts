/** Sealed streams and wrapped keys: the same bytes as the whole form, whole or refused, and only for whom they are. */

import { concatBytes } from '@sealpost/protocol';
import { expect, test } from 'vitest';
import { createUnwrappingKey, openBlob, openStream, unwrapKey } from '../../src/open/index.ts';
import { sealBlob, sealStream, wrapKey } from '../../src/seal/index.ts';

const key = Uint8Array.from({ length: 16 }, (_, at) => at);
const salt = Uint8Array.from({ length: 16 }, (_, at) => 255 - at);
const ROOM = 65_536 - 17;

const plaintextOf = (length: number) => Uint8Array.from({ length }, (_, at) => at % 251);

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}

async function gather(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return concatBytes(...all);
}

test.each([0, 1, ROOM - 1, ROOM, ROOM + 1, 2 * ROOM, 200_000])(
  'a stream of %i bytes is sealed to the same bytes as a blob, and opens in whatever pieces it comes',
  async (length) => {
    const plaintext = plaintextOf(length);
    const sealed = await gather(sealStream(inPieces(plaintext, 10_007), { key, salt }));
    expect(sealed).toEqual(await sealBlob(plaintext, { key, salt }));
    expect(await openBlob(sealed, key)).toEqual({ kind: 'ok', plaintext });
    for (const size of [3001, 65_536, sealed.length])
      expect(await gather(openStream(inPieces(sealed, size), key))).toEqual(plaintext);
  },
);

test('a stream that ends after a whole record, within one, before the first, or has one too many is refused', async () => {
  const sealed = await gather(sealStream(inPieces(plaintextOf(150_000), 9973), { key, salt }));
  const refusal = (bytes: Uint8Array) => gather(openStream(inPieces(bytes, 5000), key)).catch(({ reason }) => reason);
  expect(await refusal(sealed.slice(0, 21 + 65_536))).toBe('truncated');
  expect(await refusal(sealed.slice(0, 21))).toBe('truncated');
  expect(await refusal(sealed.slice(0, 7))).toBe('truncated');
  expect(await refusal(sealed.slice(0, sealed.length - 1))).toBe('not-authentic');
  expect(await refusal(concatBytes(sealed, Uint8Array.of(0)))).toBe('not-authentic');
  const changed = sealed.slice();
  changed.set([(changed[70_000] ?? 0) ^ 1], 70_000);
  expect(await refusal(changed)).toBe('not-authentic');
});

test('a wrapped key opens for its recipient, for its purpose and its binding, and for nobody and nothing else', async () => {
  const [{ key: recipient }, { key: other }] = [await createUnwrappingKey(), await createUnwrappingKey()];
  const context = { purpose: 'sealpost/test/v1', binding: { zone: 'gateway' } };
  const wrapped = await wrapKey(key, recipient.publicKey, context);
  expect(await unwrapKey(wrapped, recipient, context)).toEqual(key);
  expect(await unwrapKey(wrapped, other, context)).toBeUndefined();
  expect(await unwrapKey(wrapped, recipient, { ...context, purpose: 'sealpost/other/v1' })).toBeUndefined();
  expect(await unwrapKey(wrapped, recipient, { ...context, binding: { zone: 'control' } })).toBeUndefined();
});
