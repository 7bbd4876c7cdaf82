/**
 * The form fields of Twilio's webhooks (Twilio, "Twilio's request to your incoming message webhook URL" and "Message
 * status callback"). Twilio adds fields without notice, so unknown ones are ignored; every field taken out is bounded.
 */
import { z } from 'zod';
import { textOf } from '../webhook-request.ts';

const short = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/)
  .optional();

const fieldsSchema = z.object({
  MessageSid: z.string().regex(/^(SM|MM|RM)[0-9a-fA-F]{32}$/),
  AccountSid: z.string().regex(/^AC[0-9a-fA-F]{32}$/),
  From: z.string().max(320).default(''),
  To: z.string().max(320).default(''),
  /** Present in status callbacks alone. */
  MessageStatus: short,
  ErrorCode: z
    .string()
    .regex(/^\d{1,6}$/)
    .optional(),
  Body: z.string().max(200_000).default(''),
  NumMedia: z.string().regex(/^\d$/).default('0'),
  /** STOP, START or HELP, where Twilio itself understood an opt-out word (Advanced Opt-Out). */
  OptOutType: short,
  /** The tapped button's `id` and `title`. */
  ButtonPayload: z.string().max(2048).optional(),
  ButtonText: z.string().max(300).optional(),
  OriginalRepliedMessageSid: short,
});
export type TwilioFields = z.infer<typeof fieldsSchema>;

export interface TwilioForm {
  /** Every parameter, as the signature covers them. */
  readonly form: URLSearchParams;
  readonly fields: TwilioFields;
}

/** `undefined` when the body is not one of Twilio's forms. */
export function parseTwilioForm(body: Uint8Array): TwilioForm | undefined {
  const text = textOf(body);
  if (text === undefined) return undefined;
  const form = new URLSearchParams(text);
  const filled = [...form].filter(([, value]) => value !== '');
  const parsed = fieldsSchema.safeParse(Object.fromEntries(filled));
  return parsed.success ? { form, fields: parsed.data } : undefined;
}
