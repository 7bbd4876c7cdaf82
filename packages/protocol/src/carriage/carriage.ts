/**
 * The plaintext of a `carrier` part: one address and one payload for one channel. It exists sealed everywhere except in
 * the dispatcher's memory during an attempt. The address travels inside, so the gateway never stores a phone number.
 */
import { z } from 'zod';
import { channelNameSchema, messageIdSchema, timestampSchema } from '../ids.ts';

/** A content-free message: that something is waiting and where to open it. Text is fixed by the flow, never by a sender. */
export const noticeSchema = z.strictObject({
  kind: z.literal('notice'),
  text: z.string().min(1).max(300),
  url: z.url({ protocol: /^https?$/ }).max(2048),
});

export const carriageSchema = z.strictObject({
  v: z.literal(1),
  message: messageIdSchema,
  channel: channelNameSchema,
  /** E.164 with its plus sign (ITU-T E.164: at most 15 digits). */
  address: z.string().regex(/^\+[1-9][0-9]{6,14}$/, 'use E.164, for example +4915112345678'),
  expires: timestampSchema,
  payload: z.discriminatedUnion('kind', [noticeSchema]),
});

export type Notice = z.infer<typeof noticeSchema>;
export type Carriage = z.infer<typeof carriageSchema>;
