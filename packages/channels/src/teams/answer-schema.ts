/** What the Bot Connector answers (botframework-channel.json): the id of what was made, or a code of what went wrong. */
import { z } from 'zod';
import { jsonOf } from '../webhook-request.ts';

const conversationSchema = z.object({ id: z.string().min(1).max(200) });
const activitySchema = z.object({ id: z.string().min(1).max(50) });
const errorSchema = z.object({ error: z.object({ code: z.string().regex(/^[A-Za-z0-9_]{1,80}$/) }) });

export function parseConversation(body: string): string | undefined {
  return conversationSchema.safeParse(jsonOf(body)).data?.id;
}

export function parseActivity(body: string): string | undefined {
  return activitySchema.safeParse(jsonOf(body)).data?.id;
}

export function parseErrorCode(body: string): string | undefined {
  return errorSchema.safeParse(jsonOf(body)).data?.error.code;
}
