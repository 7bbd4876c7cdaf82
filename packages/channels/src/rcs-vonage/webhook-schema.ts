/**
 * The published forms of Vonage's message-status and inbound-message webhooks (Vonage, "Messages API reference",
 * "Webhooks"). Unknown members are ignored, every one taken out is bounded.
 */
import { z } from 'zod';
import { jsonOf } from '../webhook-request.ts';

const id = z.string().regex(/^[A-Za-z0-9_-]{1,128}$/);
const mediaSchema = z.object({
  url: z.string().max(4096).exactOptional(),
  name: z.string().max(300).exactOptional(),
});

const commonSchema = z.object({
  message_uuid: id,
  channel: z.string().max(32),
  to: z.string().max(256),
  from: z.string().max(256),
  timestamp: z.string().max(64).optional(),
});
const statusSchema = commonSchema.extend({
  status: z.string().regex(/^[a-z_]{1,32}$/),
  error: z.object({ type: z.string().max(512).optional() }).optional(),
});
const inboundSchema = commonSchema.extend({
  message_type: z.string().regex(/^[a-z_]{1,32}$/),
  text: z.string().max(200_000).optional(),
  /** A suggested reply was tapped. */
  reply: z.object({ id: z.string().max(2048), title: z.string().max(300).optional() }).optional(),
  /** A suggested action was tapped. */
  button: z.object({ payload: z.string().max(2048).optional(), text: z.string().max(300).optional() }).optional(),
  image: mediaSchema.optional(),
  video: mediaSchema.optional(),
  audio: mediaSchema.optional(),
  file: mediaSchema.optional(),
  context: z.object({ message_uuid: id.optional() }).optional(),
});

export type VonageStatus = z.infer<typeof statusSchema>;
export type VonageInbound = z.infer<typeof inboundSchema>;
export type VonageEvent =
  | { readonly kind: 'status'; readonly value: VonageStatus }
  | { readonly kind: 'inbound'; readonly value: VonageInbound };

/** `undefined` when the body is neither. */
export function parseVonageEvent(body: Uint8Array): VonageEvent | undefined {
  const value = jsonOf(body);
  const status = statusSchema.safeParse(value);
  if (status.success) return { kind: 'status', value: status.data };
  const inbound = inboundSchema.safeParse(value);
  return inbound.success ? { kind: 'inbound', value: inbound.data } : undefined;
}
