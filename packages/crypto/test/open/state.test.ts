import { utf8 } from '@sealpost/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openState } from '../../src/open/index.ts';
import { sealState } from '../../src/seal/index.ts';

const KEY = new Uint8Array(32).fill(5);
const CONTEXT = { purpose: 'mls/con_A', version: 2 };
const STATE = utf8('a ratchet');

describe('sealed state', () => {
  test('opens to what was sealed and says which version wrote it', async () => {
    const sealed = await sealState(STATE, KEY, CONTEXT);
    expect(await openState(sealed, KEY, CONTEXT)).toEqual({ kind: 'ok', state: STATE, version: 2 });
    expect(await openState(sealed, KEY, { ...CONTEXT, version: 9 })).toEqual({ kind: 'ok', state: STATE, version: 2 });
    expect(await openState(await sealState(new Uint8Array(0), KEY, CONTEXT), KEY, CONTEXT)).toMatchObject({
      kind: 'ok',
    });
  });

  test('is never the same twice', async () => {
    expect(await sealState(STATE, KEY, CONTEXT)).not.toEqual(await sealState(STATE, KEY, CONTEXT));
  });

  test('written by a newer program is refused as newer', async () => {
    const sealed = await sealState(STATE, KEY, { ...CONTEXT, version: 3 });
    expect(await openState(sealed, KEY, CONTEXT)).toEqual({ kind: 'refused', reason: 'newer-format' });
    const container = sealed.with(4, 2);
    expect(await openState(container, KEY, { ...CONTEXT, version: 3 })).toEqual({
      kind: 'refused',
      reason: 'newer-format',
    });
  });

  test('is refused under another key, for another purpose and with an older version written over it', async () => {
    const sealed = await sealState(STATE, KEY, CONTEXT);
    const refused = { kind: 'refused', reason: 'not-authentic' };
    expect(await openState(sealed, new Uint8Array(32), CONTEXT)).toEqual(refused);
    expect(await openState(sealed, KEY, { ...CONTEXT, purpose: 'mls/con_B' })).toEqual(refused);
    expect(await openState(sealed.with(8, 1), KEY, CONTEXT)).toEqual(refused);
  });

  test('is refused after any bit is flipped and when cut anywhere', async () => {
    const sealed = await sealState(STATE, KEY, CONTEXT);
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const flipped = sealed.map((octet, at) => (at === bit >> 3 ? octet ^ (1 << (bit & 7)) : octet));
      expect((await openState(flipped, KEY, CONTEXT)).kind).toBe('refused');
    }
    for (let end = 0; end < sealed.length; end++) {
      expect((await openState(sealed.subarray(0, end), KEY, CONTEXT)).kind).toBe('refused');
    }
  });

  test('gives no exception for bytes of any kind, and one for a storage key of another length', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array(), async (noise) => {
        expect((await openState(noise, KEY, CONTEXT)).kind).toBe('refused');
      }),
    );
    await expect(sealState(STATE, new Uint8Array(16), CONTEXT)).rejects.toThrow(TypeError);
    await expect(openState(STATE, new Uint8Array(16), CONTEXT)).rejects.toThrow(TypeError);
  });
});
