/**
 * A text as short messages: the smallest coding that holds it, exact bytes, parts that never split a character.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toPayload, toShortMessages } from '../src/sms-smpp/text.ts';

const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('hex');
const parts = (text: string) => toShortMessages(text, 0x2a) ?? [];

/** What a phone would show: each part's bytes without header, joined, decoded by its coding. */
function shown(messages: ReturnType<typeof parts>): string {
  const bytes = Buffer.concat(messages.map(({ esmClass, bytes: all }) => all.subarray(esmClass === 0x40 ? 6 : 0)));
  if (messages[0]?.dataCoding === 8) return new TextDecoder('utf-16be').decode(bytes);
  const table =
    '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u001bÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà';
  const escaped = new Map([
    [0x0a, '\f'],
    [0x14, '^'],
    [0x28, '{'],
    [0x29, '}'],
    [0x2f, '\\'],
    [0x3c, '['],
    [0x3d, '~'],
    [0x3e, ']'],
    [0x40, '|'],
    [0x65, '€'],
  ]);
  let text = '';
  let extended = false;
  for (const byte of bytes) {
    if (byte !== 0x1b) text += extended ? escaped.get(byte) : table[byte];
    extended = byte === 0x1b;
  }
  return text;
}

describe('short messages', () => {
  it('writes GSM 03.38 by its own table, with the escapes of its extension', () => {
    expect(parts('@_$ é€{')).toMatchObject([{ dataCoding: 0, esmClass: 0 }]);
    expect(hex(parts('@_$ é€{')[0]?.bytes)).toBe('001102' + '20' + '05' + '1b65' + '1b28');
  });

  it('writes UCS-2 where one character has no place in GSM 03.38', () => {
    expect(parts('č')).toMatchObject([{ dataCoding: 8 }]);
    expect(hex(parts('č😀')[0]?.bytes)).toBe('010dd83dde00');
  });

  it('uses one message up to 160 GSM or 70 UCS-2 characters, and parts of 153 or 67 beyond', () => {
    expect(parts('a'.repeat(160)).map(({ bytes }) => bytes.length)).toEqual([160]);
    expect(parts('a'.repeat(161)).map(({ bytes }) => bytes.length)).toEqual([159, 14]);
    expect(parts('č'.repeat(70)).map(({ bytes }) => bytes.length)).toEqual([140]);
    expect(parts('č'.repeat(71)).map(({ bytes }) => bytes.length)).toEqual([140, 14]);
  });

  it('heads each part with reference, total and number', () => {
    expect(parts('a'.repeat(400)).map(({ bytes, esmClass }) => [esmClass, hex(bytes.subarray(0, 6))])).toEqual([
      [0x40, '0500032a0301'],
      [0x40, '0500032a0302'],
      [0x40, '0500032a0303'],
    ]);
  });

  it('never splits an escaped character or a surrogate pair over two parts', () => {
    const [first] = parts(`${'a'.repeat(152)}€${'a'.repeat(20)}`);
    expect(first?.bytes.length).toBe(6 + 152);
    expect(parts(`${'č'.repeat(66)}😀${'č'.repeat(20)}`)[0]?.bytes.length).toBe(6 + 132);
  });

  it('refuses a text of more than 255 parts instead of throwing', () => {
    expect(toShortMessages('č'.repeat(255 * 67), 1)).toHaveLength(255);
    expect(toShortMessages('č'.repeat(255 * 67 + 1), 1)).toBeUndefined();
    expect(toPayload('č'.repeat(5000))).toBeUndefined();
  });

  it('shows any text exactly as it was written, in parts no SMSC refuses', () => {
    const gsm = fc.string({ unit: fc.constantFrom(...'aZ@_$€{}[]~|^\\\n éÜ'), maxLength: 900 });
    fc.assert(
      fc.property(fc.oneof(gsm, fc.string({ unit: 'grapheme', maxLength: 400 })), (text) => {
        const messages = parts(text);
        expect(shown(messages)).toBe(text);
        for (const { bytes } of messages) expect(bytes.length).toBeLessThanOrEqual(160);
      }),
    );
  });
});
