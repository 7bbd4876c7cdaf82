/** What BlueBubbles posts (BlueBubbles, "REST API & Webhooks"). Unknown members are ignored, every one taken out is bounded. */
import { z } from 'zod';
import { jsonOf } from '../webhook-request.ts';

const guid = z.string().min(1).max(128);
/** Milliseconds since 1970; null or 0 where it has not happened. */
const date = z.int().min(0).max(8.64e15).nullish();

const messageSchema = z.object({
  guid,
  tempGuid: guid.nullish(),
  text: z.string().max(200_000).nullish(),
  isFromMe: z.boolean(),
  handle: z.object({ address: z.string().min(1).max(320) }).nullish(),
  chats: z
    .array(z.object({ guid: z.string().max(256) }))
    .max(16)
    .default([]),
  attachments: z
    .array(z.object({ transferName: z.string().max(300).nullish(), mimeType: z.string().max(120).nullish() }))
    .max(64)
    .default([]),
  /** The message this one answers. */
  threadOriginatorGuid: guid.nullish(),
  /** A tapback on another message, which says nothing of its own. */
  associatedMessageGuid: z.string().max(256).nullish(),
  dateCreated: date,
  dateDelivered: date,
  dateRead: date,
  error: z.int().nullish(),
});
const eventSchema = z.object({ type: z.string().regex(/^[a-z-]{1,64}$/), data: z.unknown() });

export type ImessageMessage = z.infer<typeof messageSchema>;
export interface ImessageEvent {
  readonly type: string;
  /** `undefined` where the event is about something other than a message. */
  readonly message: ImessageMessage | undefined;
}

export function parseEvent(body: Uint8Array): ImessageEvent | undefined {
  const event = eventSchema.safeParse(jsonOf(body)).data;
  if (event === undefined) return undefined;
  return { type: event.type, message: messageSchema.safeParse(event.data).data };
}
