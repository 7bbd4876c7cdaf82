/**
 * Sync: what a device and the gateway say to each other over `GET /v1/sync` (WebSocket, RFC 6455, subprotocol below), one
 * JSON text frame each. The gateway challenges, the device signs the challenge, then items flow as far as credit reaches.
 * Delivery is at least once: an item is repeated until acknowledged, and the device's cursor is its own durable truth.
 */
import { z } from 'zod';
import { envelopeSchema } from './envelope.ts';
import { base64urlSchema, conversationIdSchema, deviceIdSchema, messageIdSchema, timestampSchema } from './ids.ts';

export const SYNC_SUBPROTOCOL = 'sealpost.sync.v1';
/** Domain separation of the signature in `hello`: these bytes, then the nonce, then the device id. */
export const SYNC_SIGNATURE_CONTEXT = 'sealpost/sync/v1\n';
export const SYNC_FRAME_LIMIT = 4_000_000;

const mlsMessage = base64urlSchema(2_000_000);
const cursor = z.int().min(0);

/** What a device's queue holds, in order. */
export const syncItemSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('welcome'),
    conversation: conversationIdSchema,
    message: mlsMessage,
    ratchetTree: mlsMessage,
  }),
  z.strictObject({
    kind: z.literal('commit'),
    conversation: conversationIdSchema,
    epoch: z.int().min(0),
    message: mlsMessage,
  }),
  /** The envelope without carrier parts: what this device may open and what it must check. */
  z.strictObject({ kind: z.literal('envelope'), message: messageIdSchema, envelope: envelopeSchema }),
]);
export type SyncItem = z.infer<typeof syncItemSchema>;

export const serverFrameSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('challenge'),
    version: z.literal(1),
    nonce: base64urlSchema(43),
    at: timestampSchema,
  }),
  z.strictObject({
    type: z.literal('ready'),
    cursor,
    keyPackages: z.int().min(0).describe('unclaimed packages left in the pool'),
  }),
  z.strictObject({ type: z.literal('item'), cursor, item: syncItemSchema }),
  z.strictObject({
    type: z.literal('receipts'),
    id: z.int().min(0),
    results: z.array(
      z.strictObject({ outcome: z.enum(['recorded', 'duplicate', 'refused']), code: z.string().optional() }),
    ),
  }),
  z.strictObject({ type: z.literal('pong') }),
  /** The last frame before the gateway closes. */
  z.strictObject({ type: z.literal('error'), code: z.string(), hint: z.string() }),
]);
export type ServerFrame = z.infer<typeof serverFrameSchema>;

export const clientFrameSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('hello'),
    version: z.literal(1),
    device: deviceIdSchema,
    cursor,
    credit: z.int().min(1).max(1000),
    signature: base64urlSchema(86),
  }),
  /** Everything up to `cursor` is stored by the device and may be deleted. */
  z.strictObject({ type: z.literal('ack'), cursor }),
  z.strictObject({ type: z.literal('credit'), more: z.int().min(1).max(1000) }),
  z.strictObject({
    type: z.literal('receipts'),
    id: z.int().min(0),
    receipts: z.array(z.string().max(2048)).min(1).max(100),
  }),
  z.strictObject({ type: z.literal('ping') }),
]);
export type ClientFrame = z.infer<typeof clientFrameSchema>;
