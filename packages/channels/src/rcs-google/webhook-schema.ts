/**
 * The published forms of a webhook body and of the event inside it. Extra members are ignored: Google announces new ones
 * only after the fact. Every field taken out is bounded before it is used.
 */
import { z } from 'zod';
import { decodeBase64 } from './signature.ts';

const MAX_TIMESTAMP = 8.64e15;

const handshakeSchema = z.object({ clientToken: z.string().max(1024), secret: z.string().min(1).max(1024) });
const pushSchema = z.object({ message: z.object({ data: z.string().min(4) }) });
const id = z.string().regex(/^[A-Za-z0-9_-]{1,128}$/);
const eventSchema = z.object({
  agentId: z.string().max(256).optional(),
  eventType: z
    .string()
    .regex(/^[A-Z_]{1,64}$/)
    .optional(),
  /** The agent message the event is about, not the id of the Pub/Sub message around it. */
  messageId: id.optional(),
  sendTime: z.string().max(64).optional(),
  eventId: id.optional(),
  senderPhoneNumber: z.string().max(20).optional(),
  text: z.string().max(200_000).optional(),
  suggestionResponse: z
    .object({ postbackData: z.string().max(2048).default(''), text: z.string().max(300).optional() })
    .optional(),
  userFile: z
    .object({
      payload: z.object({
        mimeType: z.string().max(120).optional(),
        fileName: z.string().max(300).optional(),
        fileUri: z.string().max(4096).optional(),
      }),
    })
    .optional(),
});

export type WebhookBody =
  | { readonly kind: 'handshake'; readonly clientToken: string; readonly secret: string }
  | { readonly kind: 'message'; readonly data: Uint8Array };

export type RbmEvent = Omit<z.infer<typeof eventSchema>, 'sendTime'> & { readonly at: number | undefined };

export function parseWebhookBody(body: Uint8Array): WebhookBody | undefined {
  const value = parseJson(body);
  const push = pushSchema.safeParse(value);
  if (push.success) {
    const data = decodeBase64(push.data.message.data);
    return data === undefined ? undefined : { kind: 'message', data };
  }
  const handshake = handshakeSchema.safeParse(value);
  return handshake.success ? { kind: 'handshake', ...handshake.data } : undefined;
}

export function parseEvent(data: Uint8Array): RbmEvent | undefined {
  const parsed = eventSchema.safeParse(parseJson(data));
  if (!parsed.success) return undefined;
  const { sendTime, ...event } = parsed.data;
  const at = Math.trunc(Date.parse(sendTime ?? ''));
  return { ...event, at: at >= 0 && at <= MAX_TIMESTAMP ? at : undefined };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
