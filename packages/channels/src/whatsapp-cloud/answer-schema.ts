/** What the Cloud API answers, parsed once. Of an error only the code is taken: titles and details are free text. */
import { z } from 'zod';
import { jsonOf } from '../webhook-request.ts';

const sentSchema = z.object({ messages: z.array(z.object({ id: z.string().min(1).max(256) })).min(1) });
const uploadSchema = z.object({ id: z.string().min(1).max(256) });
const errorSchema = z.object({ error: z.object({ code: z.int().min(0).max(99_999_999) }) });

export function parseMessageId(body: string): string | undefined {
  return sentSchema.safeParse(jsonOf(body)).data?.messages[0]?.id;
}

export function parseMediaId(body: string): string | undefined {
  return uploadSchema.safeParse(jsonOf(body)).data?.id;
}

export function parseErrorCode(body: string): number | undefined {
  return errorSchema.safeParse(jsonOf(body)).data?.error.code;
}
