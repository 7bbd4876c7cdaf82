/** Why a device's receipt is refused, and what can be wrong inside when an input is set aside. */
import { type ErrorTable, errorsOf } from '@sealpost/protocol';

export const DELIVERY_ERRORS = {
  ERR_DELIVERY_RECEIPT_SIGNATURE: {
    kind: 'integrity',
    sentence: 'The receipt is not signed by the key of this device.',
    hint: 'Sign it with the device key as it is enrolled; do not resend these bytes.',
  },
  ERR_DELIVERY_RECEIPT_DEVICE: {
    kind: 'denied',
    sentence: 'The receipt names another device or organisation, or a device that is not active.',
    hint: 'A device sends its own receipts only; enroll it again when it was revoked.',
  },
  ERR_DELIVERY_RECEIPT_MESSAGE: {
    kind: 'missing',
    sentence: 'There is no such message for this device.',
    hint: 'Drop the receipt: the device is not in the conversation, or the message is not held here.',
  },
  ERR_DELIVERY_RECEIPT_CONTENT: {
    kind: 'conflict',
    sentence: 'The receipt is for another conversation or commitment than the envelope has.',
    hint: 'Drop the receipt and report the message: what was opened is not what was sent.',
  },
  /** Check that the bundle the message was accepted under is stored and verifies; the input is tried again by itself. */
  ERR_DELIVERY_FLOW: {
    kind: 'internal',
    sentence: 'The flow the message was accepted under cannot be found.',
    hint: 'Nothing is lost; the operator restores the bundle of that version.',
  },
  ERR_DELIVERY_ENVELOPE: {
    kind: 'internal',
    sentence: 'The envelope of a message that has not ended is missing.',
    hint: 'Nothing is lost; the operator restores the envelope from backup.',
  },
  ERR_DELIVERY_FORM: {
    kind: 'internal',
    sentence: 'A step was taken that the envelope has no form for.',
    hint: 'Nothing was sent; report it as a bug.',
  },
  /** The device keeps the receipt and sends it again. */
  ERR_DELIVERY_UNDECIDED: {
    kind: 'unavailable',
    sentence: 'The receipt could not be decided now.',
    hint: 'Send the same receipt again later.',
  },
  ERR_DELIVERY_MESSAGE: {
    kind: 'missing',
    sentence: 'There is no such message.',
    hint: 'Check the message id; only a message that was accepted can be taken back.',
  },
} as const satisfies ErrorTable;

export const deliveryError = errorsOf(DELIVERY_ERRORS);

/** Part of the wire: the answer to a receipt that was refused. */
export type RefusalCode = Extract<keyof typeof DELIVERY_ERRORS, `ERR_DELIVERY_RECEIPT_${string}`>;
