/**
 * The published form of a MaaP's notifications (GSMA FNW.11, "Webhook notifications"): one event about one contact. Unknown
 * members are ignored, every one taken out is bounded.
 */
import { z } from 'zod';
import { jsonOf } from '../webhook-request.ts';

const postbackSchema = z.object({
  displayText: z.string().max(300).exactOptional(),
  postback: z.object({ data: z.string().max(2048) }),
});
const responseSchema = z.object({ reply: postbackSchema.optional(), action: postbackSchema.optional() });
const fileSchema = z.object({
  fileUrl: z.string().max(4096).optional(),
  fileName: z.string().max(300).optional(),
  fileMIMEType: z.string().max(120).optional(),
});

const eventSchema = z.object({
  event: z.string().regex(/^[A-Za-z]{1,32}$/),
  messageContact: z.object({ userContact: z.string().max(320).optional() }).optional(),
  RCSMessage: z
    .object({
      msgId: z.string().min(1).max(256).optional(),
      status: z
        .string()
        .regex(/^[A-Za-z]{1,32}$/)
        .optional(),
      timestamp: z.string().max(64).optional(),
      textMessage: z.string().max(200_000).optional(),
      fileMessage: fileSchema.optional(),
      audioMessage: fileSchema.optional(),
      suggestedResponse: z.object({ response: responseSchema }).optional(),
    })
    .optional(),
});
export type MaapEvent = z.infer<typeof eventSchema>;
export type MaapFile = z.infer<typeof fileSchema>;

export function parseMaapEvent(body: Uint8Array): MaapEvent | undefined {
  return eventSchema.safeParse(jsonOf(body)).data;
}
