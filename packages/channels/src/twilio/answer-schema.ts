/**
 * What Twilio answers, parsed once: a Message, a Content template, an error. Unknown members are ignored, because Twilio
 * adds some without notice; free text is not taken out at all.
 */
import { z } from 'zod';
import { jsonOf } from '../webhook-request.ts';

/** Messages resource: `sid` of 34 characters, SM or MM for what has media. */
const messageSchema = z.object({ sid: z.string().regex(/^(SM|MM)[0-9a-fA-F]{32}$/) });
/** Content resource. */
const contentSchema = z.object({ sid: z.string().regex(/^HX[0-9a-fA-F]{32}$/) });
/** "Twilio REST API error": `code` is of the Error and Warning Dictionary. */
const errorSchema = z.object({ code: z.int().min(0).max(999_999) });

export function parseMessageSid(body: string): string | undefined {
  return messageSchema.safeParse(jsonOf(body)).data?.sid;
}

export function parseContentSid(body: string): string | undefined {
  return contentSchema.safeParse(jsonOf(body)).data?.sid;
}

export function parseErrorCode(body: string): number | undefined {
  return errorSchema.safeParse(jsonOf(body)).data?.code;
}
