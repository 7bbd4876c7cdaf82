/**
 * The published form of the Cloud API's webhooks (Meta, "Webhooks", field `messages` and `user_preferences`): several
 * changes to a body, each with statuses, messages, preferences. Unknown members are ignored; a message of a kind not known
 * here is taken out as nothing, so that it does not hide those beside it.
 */
import { z } from 'zod';
import { jsonOf } from '../webhook-request.ts';

const id = z.string().min(1).max(256);
const seconds = z.string().regex(/^\d{1,12}$/);
const mediaSchema = z.object({
  mime_type: z.string().max(120).optional(),
  filename: z.string().max(300).optional(),
  caption: z.string().max(4096).optional(),
});
const replySchema = z.object({ id: z.string().max(2048), title: z.string().max(300).exactOptional() });

const statusSchema = z.object({
  id,
  status: z.string().regex(/^[a-z_]{1,32}$/),
  timestamp: seconds.optional(),
  errors: z.array(z.object({ code: z.int().min(0) })).optional(),
});
const messageSchema = z.object({
  id,
  from: z.string().max(32),
  timestamp: seconds.optional(),
  type: z.string().max(32),
  text: z.object({ body: z.string().max(200_000) }).optional(),
  interactive: z.object({ button_reply: replySchema.optional(), list_reply: replySchema.optional() }).optional(),
  /** A quick-reply button of a template. */
  button: z.object({ payload: z.string().max(2048), text: z.string().max(300).exactOptional() }).optional(),
  image: mediaSchema.optional(),
  document: mediaSchema.optional(),
  video: mediaSchema.optional(),
  audio: mediaSchema.optional(),
  sticker: mediaSchema.optional(),
  context: z.object({ id: id.optional() }).optional(),
});
const preferenceSchema = z.object({
  wa_id: z.string().max(32),
  value: z.enum(['stop', 'resume']),
  timestamp: z.union([seconds, z.int().min(0).transform(String)]).optional(),
});
const valueSchema = z.object({
  metadata: z.object({ phone_number_id: z.string().max(64) }),
  statuses: z.array(z.unknown()).max(1000).default([]),
  messages: z.array(z.unknown()).max(1000).default([]),
  user_preferences: z.array(z.unknown()).max(1000).default([]),
});
const bodySchema = z.object({
  object: z.literal('whatsapp_business_account'),
  entry: z.array(z.object({ changes: z.array(z.object({ value: z.unknown() })).max(1000) })).max(1000),
});

export type WhatsappStatus = z.infer<typeof statusSchema>;
export type WhatsappMessage = z.infer<typeof messageSchema>;
export type WhatsappMedia = z.infer<typeof mediaSchema>;
export type WhatsappPreference = z.infer<typeof preferenceSchema>;

export interface WhatsappChange {
  readonly phoneNumberId: string;
  readonly statuses: readonly WhatsappStatus[];
  readonly messages: readonly WhatsappMessage[];
  readonly preferences: readonly WhatsappPreference[];
}

/** `undefined` when the body is not a webhook of the Cloud API. */
export function parseChanges(body: Uint8Array): readonly WhatsappChange[] | undefined {
  const parsed = bodySchema.safeParse(jsonOf(body));
  return parsed.success ? parsed.data.entry.flatMap(({ changes }) => changes).flatMap(changeOf) : undefined;
}

function changeOf({ value }: { value?: unknown }): readonly WhatsappChange[] {
  const parsed = valueSchema.safeParse(value);
  if (!parsed.success) return [];
  const { metadata, statuses, messages, user_preferences } = parsed.data;
  const change = {
    phoneNumberId: metadata.phone_number_id,
    statuses: known(statusSchema, statuses),
    messages: known(messageSchema, messages),
    preferences: known(preferenceSchema, user_preferences),
  };
  return [change];
}

function known<T>(schema: z.ZodType<T>, values: readonly unknown[]): readonly T[] {
  return values.flatMap((value) => {
    const parsed = schema.safeParse(value);
    return parsed.success ? [parsed.data] : [];
  });
}
