/** What a MaaP answers, parsed once (GSMA FNW.11): a message's id and state, a contact's capabilities. */
import { z } from 'zod';
import { jsonOf } from '../webhook-request.ts';

const messageSchema = z.object({
  RCSMessage: z.object({
    msgId: z.string().min(1).max(256),
    status: z
      .string()
      .regex(/^[a-z]{1,32}$/)
      .optional(),
  }),
});
const capabilitiesSchema = z.object({ capabilities: z.array(z.string().max(64)).max(64) });
/** `error.message` beside it is free text and not taken out. */
const errorSchema = z.object({
  error: z.object({ code: z.union([z.int(), z.string().regex(/^[A-Za-z0-9_.-]{1,40}$/)]) }),
});

export type MaapMessage = z.infer<typeof messageSchema>['RCSMessage'];

export function parseMessage(body: string): MaapMessage | undefined {
  return messageSchema.safeParse(jsonOf(body)).data?.RCSMessage;
}

export function parseCapabilities(body: string): readonly string[] | undefined {
  return capabilitiesSchema.safeParse(jsonOf(body)).data?.capabilities;
}

export function parseErrorCode(body: string): string | undefined {
  const code = errorSchema.safeParse(jsonOf(body)).data?.error.code;
  return code === undefined ? undefined : String(code);
}
