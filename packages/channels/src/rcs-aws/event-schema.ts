/**
 * The JSON inside an SNS notification: what became of a message, or what a person sent (AWS End User Messaging SMS, "RCS
 * message events" and "Receiving inbound RCS messages"). A tap comes as JSON inside the text, where a person could type
 * the same: that makes it no more than what this person says, which a tap is too.
 */
import { z } from 'zod';
import { jsonOf } from '../webhook-request.ts';

const code = z.string().regex(/^[A-Z0-9_]{1,64}$/);

const statusSchema = z.object({
  eventType: code,
  messageId: z.string().min(1).max(256),
  messageStatus: code.optional(),
  eventTimestamp: z.int().min(0).max(8.64e15).exactOptional(),
});
const inboundSchema = z.object({
  originationNumber: z.string().max(32),
  destinationNumber: z.string().max(256),
  messageBody: z.string().max(200_000),
  inboundMessageId: z.string().min(1).max(256),
  previousPublishedMessageId: z.string().max(256).optional(),
});
const interactionSchema = z.object({
  type: z.enum(['SUGGESTION', 'RCS_TYPING', 'CONVERSATION_STARTED', 'SUBSCRIBE', 'UNSUBSCRIBE']),
  text: z.string().max(300).exactOptional(),
  postbackData: z.string().max(2048).optional(),
});

export type AwsStatus = z.infer<typeof statusSchema>;
export type AwsInbound = z.infer<typeof inboundSchema>;
export type AwsInteraction = z.infer<typeof interactionSchema>;
export type AwsEvent =
  | { readonly kind: 'status'; readonly value: AwsStatus }
  | { readonly kind: 'inbound'; readonly value: AwsInbound };

export function parseAwsEvent(message: string): AwsEvent | undefined {
  const value = jsonOf(message);
  const status = statusSchema.safeParse(value);
  if (status.success) return { kind: 'status', value: status.data };
  const inbound = inboundSchema.safeParse(value);
  return inbound.success ? { kind: 'inbound', value: inbound.data } : undefined;
}

/** `undefined` for plain text. */
export function parseInteraction(messageBody: string): AwsInteraction | undefined {
  return messageBody.startsWith('{') ? interactionSchema.safeParse(jsonOf(messageBody)).data : undefined;
}
