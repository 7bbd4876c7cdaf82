/**
 * The published forms of Sinch's callbacks (Sinch, "Conversation API callbacks"; models of sinch-sdk-node). Which one a
 * body is, its members tell. Unknown members are ignored, every one taken out is bounded.
 */
import { z } from 'zod';
import { jsonOf } from '../webhook-request.ts';

const id = z.string().min(1).max(128);
const code = z.string().regex(/^[A-Z0-9_]{1,64}$/);
const identity = z.object({ channel: code, identity: z.string().max(256) });

const consentSchema = z.object({
  request_id: z.string().max(128).optional(),
  channel: code,
  identity: z.string().max(256),
  status: code.optional(),
});

const contactMessageSchema = z.object({
  text_message: z.object({ text: z.string().max(200_000) }).optional(),
  choice_response_message: z
    .object({ message_id: z.string().max(128).optional(), postback_data: z.string().max(2048) })
    .optional(),
  media_message: z.object({ url: z.string().max(4096), filename_override: z.string().max(300).optional() }).optional(),
});

const callbackSchema = z.object({
  app_id: z.string().max(128),
  accepted_time: z.string().max(64).optional(),
  event_time: z.string().max(64).optional(),
  message_delivery_report: z
    .object({
      message_id: id,
      status: code,
      channel_identity: identity.optional(),
      reason: z.object({ code: code.optional(), sub_code: code.optional() }).optional(),
      /** `message_metadata` of what we sent: the attempt's id. */
      metadata: z.string().max(1024).optional(),
    })
    .optional(),
  message: z.object({ id, channel_identity: identity, contact_message: contactMessageSchema }).optional(),
  opt_out_notification: consentSchema.optional(),
  opt_in_notification: consentSchema.optional(),
});

export type SinchCallback = z.infer<typeof callbackSchema>;
export type SinchReport = NonNullable<SinchCallback['message_delivery_report']>;
export type SinchMessage = NonNullable<SinchCallback['message']>;
export type SinchConsent = z.infer<typeof consentSchema>;

export function parseCallback(body: Uint8Array): SinchCallback | undefined {
  return callbackSchema.safeParse(jsonOf(body)).data;
}
