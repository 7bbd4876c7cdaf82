/**
 * Delivery receipts as SMSCs really write them, and what a command_status means.
 */
import { providerReceiptSchema } from '@sealpost/protocol/carriage';
import fc from 'fast-check';
import { PDU } from 'smpp';
import { describe, expect, it } from 'vitest';
import { type Delivery, parseDelivery } from '../src/sms-smpp/pdu-schema.ts';
import { parseReceipt } from '../src/sms-smpp/receipt.ts';
import { refusalOf } from '../src/sms-smpp/status.ts';

const delivery = (change: Partial<Delivery>): Delivery => ({
  esmClass: 4,
  source: '4915112345678',
  written: undefined,
  texts: [],
  receiptedMessageId: undefined,
  messageState: undefined,
  ...change,
});
const text = (id: string, stat: string) =>
  `id:${id} sub:001 dlvrd:001 submit date:2611231700 done date:2611231701 stat:${stat} err:000 text:id:9 stat:UNDELIV`;
const ids = (id: string, dialect: Parameters<typeof parseReceipt>[1] = 'any') =>
  parseReceipt(delivery({ receiptedMessageId: id, messageState: 2 }), dialect)?.providerMessageIds ?? [];

describe('receipts', () => {
  it('are read from the TLVs before the text', () => {
    const both = delivery({ receiptedMessageId: 'a1', messageState: 5, texts: [text('b2', 'DELIVRD')] });
    expect(parseReceipt(both, 'same')).toEqual({
      providerMessageIds: ['a1', 'b2'],
      status: 'failed',
      code: 'UNDELIV 000',
    });
  });

  it('are read from the text alone, never from what follows text:', () => {
    expect(parseReceipt(delivery({ texts: [text('b2', 'DELIVRD')] }), 'same')).toEqual({
      providerMessageIds: ['b2'],
      status: 'delivered',
      code: 'DELIVRD 000',
    });
    expect(parseReceipt(delivery({ texts: ['sub:001 text:id:7 stat:DELIVRD'] }), 'same')).toBeUndefined();
  });

  it.each([
    [1, undefined],
    [2, 'delivered'],
    [3, 'expired'],
    [4, 'failed'],
    [5, 'failed'],
    [6, undefined],
    [7, 'failed'],
    [8, 'failed'],
    [99, undefined],
  ])('say of message_state %i: %s', (messageState, status) => {
    expect(parseReceipt(delivery({ receiptedMessageId: 'a1', messageState }), 'same')?.status).toBe(status);
  });

  it('are never read out of a message a person wrote', () => {
    expect(parseReceipt(delivery({ esmClass: 0, texts: [text('b2', 'DELIVRD')] }), 'any')).toBeUndefined();
  });

  it('survive an id without its NUL, which runs into the next parameter, and ASCII sent under the default alphabet', () => {
    const fields = {
      esm_class: 4,
      receipted_message_id: "a1\u0004'",
      short_message: { message: 'id:m§1 stat:DELIVRD' },
    };
    const read = parseDelivery(Object.assign(new PDU('deliver_sm'), fields));
    expect(read).toMatchObject({ receiptedMessageId: 'a1', texts: ['id:m_1 stat:DELIVRD', 'id:m§1 stat:DELIVRD'] });
  });

  it('are known by their TLVs where the SMSC leaves esm_class empty', () => {
    const bare = delivery({ esmClass: 0, receiptedMessageId: 'a1', messageState: 2 });
    expect(parseReceipt(bare, 'same')?.status).toBe('delivered');
  });

  it('name the exact id first and then every spelling a submit response may have used', () => {
    expect(ids('0a1b2c3d')[0]).toBe('0a1b2c3d');
    expect(ids('0a1b2c3d')).toEqual(expect.arrayContaining(['a1b2c3d', '0A1B2C3D', '169552957']));
    expect(ids('169552957')).toEqual(expect.arrayContaining(['a1b2c3d', 'A1B2C3D', '0a1b2c3d', '0A1B2C3D']));
    expect(ids('000123456789')).toContain('123456789');
    expect(ids('SAR-Ab')).toEqual(['SAR-Ab', 'sar-ab', 'SAR-AB']);
  });

  it('name only the spellings of the dialect that was declared', () => {
    expect(ids('169552957', 'same')).toEqual(['169552957']);
    expect(ids('169552957', 'submit-hex-receipt-decimal')).not.toContain(String(0x169552957));
    expect(ids('0a1b2c3d', 'submit-decimal-receipt-hex')).toContain('169552957');
  });

  it('are in the published form whatever an SMSC sends', () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 80 }),
        fc.string({ maxLength: 200 }),
        fc.integer({ min: 0, max: 9 }),
        (id, free, messageState) => {
          const receipt = parseReceipt(
            delivery({
              receiptedMessageId: id === '' ? undefined : id,
              messageState,
              texts: [free, `id:${free} stat:DELIVRD`],
            }),
            'any',
          );
          if (receipt !== undefined) providerReceiptSchema.parse(receipt);
        },
      ),
    );
  });
});

describe('command_status', () => {
  it.each([
    [0x58, 'retry-after', 'ESME_RTHROTTLED'],
    [0x14, 'retry-after', 'ESME_RMSGQFUL'],
    [0x08, 'retry-after', 'ESME_RSYSERR'],
    [0x61, 'retry-after', 'ESME_RINVSCHED'],
    [0x64, 'retry-after', 'ESME_RX_T_APPN'],
    [0x0b, 'permanent', 'ESME_RINVDSTADR'],
    [0x45, 'permanent', 'ESME_RSUBMITFAIL'],
    [0x65, 'permanent', 'ESME_RX_P_APPN'],
    [0x66, 'permanent', 'ESME_RX_R_APPN'],
    [0x101, 'permanent', 'ESME_RPROHIBITED'],
    [0x0e, 'auth-broken', 'ESME_RINVPASWD'],
  ])('0x%s means %s', (status, kind, reason) => {
    expect(refusalOf(status)).toMatchObject({ kind, reason });
  });

  it('names a status it does not know by its number', () => {
    expect(refusalOf(0x4ff)).toEqual({ kind: 'permanent', reason: 'command_status 0x000004ff' });
  });
});
