/** What BlueBubbles answers (BlueBubbles REST API, "Responses"), parsed once. Its words for people are not taken. */
import { z } from 'zod';
import { jsonOf } from '../webhook-request.ts';

const sentSchema = z.object({ data: z.object({ guid: z.string().min(1).max(128) }) });
const availableSchema = z.object({ data: z.object({ available: z.boolean() }) });

/** The message's id; `undefined` when the body names none. */
export function parseSent(body: string): string | undefined {
  return sentSchema.safeParse(jsonOf(body)).data?.data.guid;
}

export function parseAvailable(body: string): boolean | undefined {
  return availableSchema.safeParse(jsonOf(body)).data?.data.available;
}
