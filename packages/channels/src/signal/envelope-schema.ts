/**
 * What signal-cli tells of what arrived (signal-cli: JsonReceiveMessageHandler, JsonMessageEnvelope): bare in its event stream,
 * as a JSON-RPC notification in what signal-cli-rest-api posts. Unknown members are ignored, every one taken out is bounded.
 */
import { z } from 'zod';
import { timestampSchema } from './answer-schema.ts';

const name = z.string().min(1).max(128);

const dataSchema = z.object({
  timestamp: timestampSchema,
  message: z.string().max(200_000).nullish(),
  /** There in a group. */
  groupInfo: z.unknown().optional(),
  groupV2: z.unknown().optional(),
  /** There where the message is only a reaction to another, or takes another back. */
  reaction: z.unknown().optional(),
  remoteDelete: z.unknown().optional(),
  quote: z.object({ id: timestampSchema, authorNumber: name.nullish() }).nullish(),
  attachments: z
    .array(z.object({ contentType: z.string().max(120).nullish(), filename: z.string().max(300).nullish() }))
    .max(64)
    .nullish(),
});

const receiptSchema = z.object({
  when: timestampSchema.nullish(),
  isDelivery: z.boolean().default(false),
  isRead: z.boolean().default(false),
  isViewed: z.boolean().default(false),
  timestamps: z.array(timestampSchema).max(1000),
});

const paramsSchema = z.object({
  /** Ours. */
  account: name.nullish(),
  envelope: z.object({
    /** Absent where the person hides it from us. */
    sourceNumber: name.nullish(),
    sourceUuid: name.nullish(),
    source: name.nullish(),
    dataMessage: dataSchema.nullish(),
    receiptMessage: receiptSchema.nullish(),
  }),
});
const notificationSchema = z.object({ method: z.literal('receive'), params: z.unknown() });
/** Around what a subscription tells. */
const subscribedSchema = z.object({ subscription: z.int(), result: z.unknown() });

export type Received = z.infer<typeof paramsSchema>;
export type SignalData = z.infer<typeof dataSchema>;
export type SignalReceipt = z.infer<typeof receiptSchema>;

/** `undefined` when it is nothing that arrived. */
export function parseReceived(value: unknown): Received | undefined {
  const params = notificationSchema.safeParse(value).data?.params ?? value;
  return paramsSchema.safeParse(subscribedSchema.safeParse(params).data?.result ?? params).data;
}
