/**
 * SMSC delivery receipts (SMPP 3.4 section 5.2.12.1 and appendix B): the TLVs `receipted_message_id` and `message_state`
 * first, the informal text where they are missing. SMSCs spell one id in several ways between the submit response and the
 * receipt (hexadecimal and decimal, leading zeros, case), so a receipt names every spelling, the exact one first.
 */
import type { ProviderReceipt } from '@sealpost/protocol/carriage';
import type { SmsSmppSettings } from './config.ts';
import type { Delivery } from './pdu-schema.ts';

type Status = ProviderReceipt['status'];
export type IdDialect = SmsSmppSettings['receipt_id'];

/** `message_state` (SMPP 3.4 section 5.2.28) and its abbreviation in the text. States on the way are no receipt for us. */
const STATES: readonly (readonly [number, string, Status | undefined])[] = [
  [1, 'ENROUTE', undefined],
  [2, 'DELIVRD', 'delivered'],
  [3, 'EXPIRED', 'expired'],
  [4, 'DELETED', 'failed'],
  [5, 'UNDELIV', 'failed'],
  [6, 'ACCEPTD', undefined],
  [7, 'UNKNOWN', 'failed'],
  [8, 'REJECTD', 'failed'],
];

const MAX_SPELLINGS = 8;

/** `undefined` when this is no final receipt: a message from a person, a state on the way, or no id to match it by. */
export function parseReceipt(delivery: Delivery, dialect: IdDialect): ProviderReceipt | undefined {
  if (!isReceipt(delivery)) return undefined;
  const texts = delivery.texts.map(parseText);
  const ids = [delivery.receiptedMessageId, ...texts.map(({ id }) => id)];
  const providerMessageIds = spellings(ids, dialect);
  const state = STATES.find(([code, name]) =>
    delivery.messageState === undefined ? texts.some(({ stat }) => stat === name) : code === delivery.messageState,
  );
  const status = state?.[2];
  if (state === undefined || status === undefined || providerMessageIds.length === 0) return undefined;
  const error = texts.find(({ err }) => err !== undefined)?.err;
  return { providerMessageIds, status, code: error === undefined ? state[1] : `${state[1]} ${error}` };
}

/**
 * Bits 5 to 2 of esm_class: 0001 is a delivery receipt, 1000 an intermediate one (SMPP 3.4 section 5.2.12). Some SMSCs
 * leave them out; the two TLVs together say the same, and no person can write a TLV.
 */
export function isReceipt({ esmClass, receiptedMessageId, messageState }: Delivery): boolean {
  const type = (esmClass >> 2) & 0x0f;
  return type === 0b0001 || type === 0b1000 || (receiptedMessageId !== undefined && messageState !== undefined);
}

interface TextFields {
  readonly id: string | undefined;
  readonly stat: string | undefined;
  readonly err: string | undefined;
}

/** Appendix B's text; what follows `text:` is what a person was sent and is never looked at. */
function parseText(text: string): TextFields {
  const head = text.split(/\btext:/i)[0] ?? '';
  return {
    id: /(?:^|\s)id:\s*(\S{1,65})/i.exec(head)?.[1],
    stat: /\bstat:\s*([A-Za-z]{1,10})/i.exec(head)?.[1]?.toUpperCase().slice(0, 7),
    err: /\berr:\s*([A-Za-z0-9]{1,8})/i.exec(head)?.[1],
  };
}

/** Every way the submit response may have spelled these ids, the exact spelling first, at most eight. */
function spellings(ids: readonly (string | undefined)[], dialect: IdDialect): string[] {
  const exact = ids.flatMap((id) => (id === undefined || id === '' ? [] : [id]));
  if (dialect === 'same') return [...new Set(exact)].slice(0, MAX_SPELLINGS);
  const plain = exact.flatMap((id) => [id, withoutZeros(id), id.toLowerCase(), id.toUpperCase()]);
  const all = exact.flatMap((id) => [
    ...(dialect === 'submit-decimal-receipt-hex' ? [] : decimalToHex(id)),
    ...(dialect === 'submit-hex-receipt-decimal' ? [] : hexToDecimal(id)),
  ]);
  return [...new Set([...plain, ...all])].slice(0, MAX_SPELLINGS);
}

const withoutZeros = (id: string) => id.replace(/^0+(?=.)/, '');

function decimalToHex(id: string): string[] {
  if (!/^\d{1,20}$/.test(id)) return [];
  const hex = BigInt(id).toString(16);
  return [hex, hex.toUpperCase(), hex.padStart(8, '0'), hex.padStart(8, '0').toUpperCase()];
}

function hexToDecimal(id: string): string[] {
  return /^[0-9a-f]{1,16}$/i.test(id) ? [BigInt(`0x${id}`).toString()] : [];
}
