/** What Vonage answers, parsed once: a message's id, or a problem (RFC 7807). Free text is not taken out at all. */
import { z } from 'zod';
import { jsonOf } from '../webhook-request.ts';

const takenSchema = z.object({ message_uuid: z.uuid() });
const problemSchema = z.object({ type: z.string().max(512) });

export function parseMessageUuid(body: string): string | undefined {
  return takenSchema.safeParse(jsonOf(body)).data?.message_uuid;
}

/** The code is the fragment of the problem's type: `https://developer.vonage.com/api-errors/messages#1000`. */
export function parseProblemCode(body: string): string | undefined {
  const parsed = problemSchema.safeParse(jsonOf(body));
  return parsed.success ? codeOfType(parsed.data.type) : undefined;
}

export function codeOfType(type: string): string | undefined {
  return /[#/]([A-Za-z0-9-]{1,40})$/.exec(type)?.[1];
}
