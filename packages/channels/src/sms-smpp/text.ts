/**
 * A text as the short messages that carry it, with data coding and bytes stated explicitly: GSM 03.38 (3GPP TS 23.038
 * section 6.2.1) where every character has a place in it, otherwise UCS-2. Long texts become concatenated parts with an
 * 8-bit reference (3GPP TS 23.040 section 9.2.3.24.1). No character is ever split over two parts.
 */
const BASIC =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u001bÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà';
/** Characters reached through the escape 0x1B (TS 23.038 section 6.2.1.1). */
const EXTENSION: readonly (readonly [string, number])[] = [
  ['\f', 0x0a],
  ['^', 0x14],
  ['{', 0x28],
  ['}', 0x29],
  ['\\', 0x2f],
  ['[', 0x3c],
  ['~', 0x3d],
  [']', 0x3e],
  ['|', 0x40],
  ['€', 0x65],
];
const ESCAPE = 0x1b;

const GSM: ReadonlyMap<string, readonly number[]> = new Map([
  ...Array.from(BASIC, (character, code): [string, number[]] => [character, [code]]).filter(
    ([, [code]]) => code !== ESCAPE,
  ),
  ...EXTENSION.map(([character, code]): [string, number[]] => [character, [ESCAPE, code]]),
]);

/** Octets of one short message, and of one part beside its six octets of header, in each coding as SMPP counts them. */
const CODINGS = {
  gsm: { dataCoding: 0x00, single: 160, part: 153 },
  ucs2: { dataCoding: 0x08, single: 140, part: 134 },
} as const;

const MAX_PARTS = 255;
const MAX_PAYLOAD_OCTETS = 8_192;

export interface ShortMessage {
  readonly dataCoding: number;
  /** 0x40 where the bytes begin with a user data header (SMPP 3.4 section 5.2.12). */
  readonly esmClass: number;
  readonly bytes: Uint8Array;
}

/** The parts of `text`, in order; `undefined` when it is too long for any number of them. */
export function toShortMessages(text: string, reference: number): readonly ShortMessage[] | undefined {
  const { coding, units } = encode(text);
  const { dataCoding, single, part } = CODINGS[coding];
  const whole = join(units);
  if (whole.length <= single) return [{ dataCoding, esmClass: 0, bytes: whole }];
  const parts = fill(units, part);
  if (parts.length > MAX_PARTS) return undefined;
  return parts.map((bytes, index) => {
    const header = [0x05, 0x00, 0x03, reference & 0xff, parts.length, index + 1];
    return { dataCoding, esmClass: 0x40, bytes: Uint8Array.of(...header, ...bytes) };
  });
}

/** The text as one body for the `message_payload` parameter; `undefined` when it would not fit one PDU. */
export function toPayload(text: string): ShortMessage | undefined {
  const { coding, units } = encode(text);
  const bytes = join(units);
  return bytes.length > MAX_PAYLOAD_OCTETS ? undefined : { dataCoding: CODINGS[coding].dataCoding, esmClass: 0, bytes };
}

/** Whether the text fits one short message without a header. */
export function isSingle(message: ShortMessage): boolean {
  return (
    message.bytes.length <= (message.dataCoding === CODINGS.gsm.dataCoding ? CODINGS.gsm.single : CODINGS.ucs2.single)
  );
}

type Units = readonly (readonly number[])[];

function encode(text: string): { coding: keyof typeof CODINGS; units: Units } {
  const characters = Array.from(text);
  const gsm = characters.flatMap((character) => {
    const unit = GSM.get(character);
    return unit === undefined ? [] : [unit];
  });
  return gsm.length === characters.length
    ? { coding: 'gsm', units: gsm }
    : { coding: 'ucs2', units: characters.map(utf16) };
}

/** One character in big-endian UTF-16, a surrogate pair kept together. */
function utf16(character: string): readonly number[] {
  return character.split('').flatMap((unit) => [unit.charCodeAt(0) >> 8, unit.charCodeAt(0) & 0xff]);
}

function join(units: Units): Uint8Array {
  return Uint8Array.from(units.flat());
}

function fill(units: Units, limit: number): Uint8Array[] {
  const parts: number[][] = [];
  let current: number[] = [];
  for (const unit of units) {
    if (current.length + unit.length > limit) {
      parts.push(current);
      current = [];
    }
    current.push(...unit);
  }
  parts.push(current);
  return parts.map((part) => Uint8Array.from(part));
}
