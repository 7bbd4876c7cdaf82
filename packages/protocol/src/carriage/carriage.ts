/**
 * The plaintext of a `carrier` part: one address and one payload for one channel. It exists sealed everywhere except in
 * the dispatcher's memory during an attempt. The address travels inside, so the gateway never stores a phone number.
 */
import { z } from 'zod';
import { base64urlSchema, channelNameSchema, messageIdSchema, timestampSchema } from '../ids.ts';

const webUrl = z.url({ protocol: /^https?$/ }).max(2048);

/** A content-free message: that something is waiting and where to open it. Text is fixed by the flow, never by a sender. */
export const noticeSchema = z.strictObject({
  kind: z.literal('notice'),
  text: z.string().min(1).max(300),
  url: webUrl,
});

/** A split link (DESIGN section 3): text fixed by the flow; the fragment of the URL is one of two secrets. */
export const splitLinkSchema = z.strictObject({
  kind: z.literal('link'),
  text: z.string().min(1).max(300),
  url: webUrl,
});

export const suggestionSchema = z.discriminatedUnion('kind', [
  /** The person answers with one tap; `data` comes back with the answer and is readable to the vendor. */
  z.strictObject({ kind: z.literal('reply'), text: z.string().min(1).max(80), data: z.string().min(1).max(256) }),
  z.strictObject({ kind: z.literal('open'), text: z.string().min(1).max(80), url: webUrl }),
]);

export const carriedFileSchema = z.strictObject({
  name: z.string().min(1).max(200),
  mediaType: z.string().regex(/^[a-z]+\/[a-z0-9.+-]{1,80}$/, 'use a media type, for example image/png'),
  source: z.discriminatedUnion('kind', [
    /** The vendor fetches it; whoever serves it decides who may. */
    z.strictObject({ kind: z.literal('url'), url: webUrl, size: z.int().min(1).optional() }),
    z.strictObject({ kind: z.literal('bytes'), data: base64urlSchema(240_000) }),
  ]),
});

/** Content in clear, for routes whose protection the flow allows; whoever carries it reads it. */
export const clearSchema = z.strictObject({
  kind: z.literal('clear'),
  title: z.string().min(1).max(300).optional(),
  text: z.string().min(1).max(20_000),
  suggestions: z.array(suggestionSchema).max(11).default([]),
  file: carriedFileSchema.optional(),
});

export const payloadSchema = z.discriminatedUnion('kind', [noticeSchema, splitLinkSchema, clearSchema]);

export const carriageSchema = z.strictObject({
  v: z.literal(1),
  message: messageIdSchema,
  channel: channelNameSchema,
  /** As the channel names the person: E.164, e-mail address, or the vendor's own name (`addressKindOf`). */
  address: z.string().min(1).max(4096),
  expires: timestampSchema,
  payload: payloadSchema,
});

export type Notice = z.infer<typeof noticeSchema>;
export type SplitLink = z.infer<typeof splitLinkSchema>;
export type Clear = z.infer<typeof clearSchema>;
export type Suggestion = z.infer<typeof suggestionSchema>;
export type CarriedFile = z.infer<typeof carriedFileSchema>;
export type Payload = z.infer<typeof payloadSchema>;
export type Carriage = z.infer<typeof carriageSchema>;

/** Which payload each use of a channel carries; a form of another kind is never sent. */
export const PAYLOAD_OF = { carry: 'clear', link: 'link', notice: 'notice' } as const;
