/**
 * A text a person writes, as the short messages it travels in: GSM 03.38 where its letters are the same as ASCII's, UCS-2
 * otherwise, and parts with an 8-bit reference where one message is too short (3GPP TS 23.040 section 9.2.3.24.1).
 */
import type { WrittenOver } from '../written.ts';
import type { FromPhone } from './receipts.ts';

/** Letters, digits and marks that GSM 03.38 has where ASCII has them. */
const PLAIN = /^[A-Za-z0-9 \r\n!"#%&'()*+,\-./:;<=>?]*$/;
const HEADER = 6;
const WHOLE_BYTES = 140;

/** `reference` ties the parts of one text together, from 0 to 255. */
export function fromPhone(number: string, { text, to }: WrittenOver<'sms'>, reference: number): FromPhone[] {
  const plain = PLAIN.test(text);
  const dataCoding = plain ? 0 : 8;
  const common = { from: number.slice(1), to, dataCoding } as const;
  const bytes = plain ? Buffer.from(text, 'ascii') : Buffer.from(text, 'utf16le').swap16();
  // Septets are sent one an octet (SMPP 3.4 section 5.2.19), so a whole message of plain letters has up to 160.
  const [whole, part] = plain ? [160, 153] : [WHOLE_BYTES, WHOLE_BYTES - HEADER];
  if (bytes.length <= whole) return [{ ...common, udh: false, bytes }];
  const count = Math.ceil(bytes.length / part);
  return Array.from({ length: count }, (_, index) => {
    const header = Buffer.from([5, 0, 3, reference, count, index + 1]);
    return { ...common, udh: true, bytes: Buffer.concat([header, bytes.subarray(index * part, (index + 1) * part)]) };
  });
}
