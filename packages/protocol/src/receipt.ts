/**
 * Receipts: signed statements that something happened, as compact JWS (RFC 7515) with `typ` naming the statement. The
 * gateway signs its promise of inclusion with EdDSA, a device signs what it did with ES256.
 */
import { z } from 'zod';
import {
  base64urlSchema,
  conversationIdSchema,
  deviceIdSchema,
  envelopeIdSchema,
  messageIdSchema,
  organisationSchema,
  timestampSchema,
} from './ids.ts';

export const ACCEPTED_RECEIPT_TYPE = 'sealpost-accepted+jwt';
export const DEVICE_RECEIPT_TYPE = 'sealpost-device-receipt+jwt';

/** "I stored this and its leaf will be in the log by `includedBy`" (DESIGN section 8: within 60 s). */
export const acceptedReceiptSchema = z.strictObject({
  v: z.literal(1),
  log: z.string().max(255).describe('checkpoint origin'),
  envelope: envelopeIdSchema,
  message: messageIdSchema,
  lane: z.int().min(0).max(63),
  sequence: z.int().min(1),
  leaf: base64urlSchema(43).describe('RFC 9162 leaf hash'),
  accepted: timestampSchema,
  includedBy: timestampSchema,
});
export type AcceptedReceipt = z.infer<typeof acceptedReceiptSchema>;

export const DEVICE_RECEIPT_KINDS = ['delivered', 'read', 'acknowledged', 'unreadable'] as const;
export const deviceReceiptSchema = z.strictObject({
  v: z.literal(1),
  organisation: organisationSchema,
  kind: z.enum(DEVICE_RECEIPT_KINDS),
  device: deviceIdSchema,
  message: messageIdSchema,
  conversation: conversationIdSchema,
  /** Repeats the envelope's commitment: the receipt is for exactly this content. */
  commitment: base64urlSchema(43),
  at: timestampSchema,
});
export type DeviceReceipt = z.infer<typeof deviceReceiptSchema>;
