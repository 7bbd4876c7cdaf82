/** What Slack's Web API answers, parsed once: `ok`, an error's code, and what the method gives. */
import { z } from 'zod';
import { jsonOf } from '../webhook-request.ts';

const code = z.string().regex(/^[a-z0-9_]{1,80}$/);
const id = z.string().regex(/^[A-Z0-9]{2,64}$/);
const ts = z.string().regex(/^\d{1,16}\.\d{1,10}$/);

const verdictSchema = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true) }),
  z.object({ ok: z.literal(false), error: code }),
]);
const postedSchema = z.object({ channel: id, ts });
const openedSchema = z.object({ channel: z.object({ id }) });
const placeSchema = z.object({ upload_url: z.url({ protocol: /^https?$/ }).max(4096), file_id: id });
const completedSchema = z.object({ files: z.array(z.object({ id })).min(1) });

/** `undefined` when the body is no answer of the Web API. */
export function parseVerdict(body: string): z.infer<typeof verdictSchema> | undefined {
  return verdictSchema.safeParse(jsonOf(body)).data;
}

export function parsePosted(body: string): z.infer<typeof postedSchema> | undefined {
  return postedSchema.safeParse(jsonOf(body)).data;
}

export function parseOpened(body: string): string | undefined {
  return openedSchema.safeParse(jsonOf(body)).data?.channel.id;
}

export function parseUploadPlace(body: string): z.infer<typeof placeSchema> | undefined {
  return placeSchema.safeParse(jsonOf(body)).data;
}

export function parseCompleted(body: string): string | undefined {
  return completedSchema.safeParse(jsonOf(body)).data?.files[0]?.id;
}
