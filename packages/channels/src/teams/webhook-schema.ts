/** Activities of Teams, as far as they are read (botframework-channel.json, `Activity`). */
import { z } from 'zod';
import { jsonOf } from '../webhook-request.ts';

const id = z.string().min(1).max(256);
const activitySchema = z.object({
  type: z.string().regex(/^[A-Za-z]{1,40}$/),
  id: id.optional(),
  timestamp: z.string().max(64).optional(),
  channelId: z.string().max(64),
  serviceUrl: z.url({ protocol: /^https?$/ }).max(2048),
  from: z.object({ id, aadObjectId: z.guid().optional() }).optional(),
  conversation: z
    .object({ id: z.string().min(1).max(400), conversationType: z.string().max(40).optional() })
    .optional(),
  text: z.string().max(200_000).nullish(),
  replyToId: id.nullish(),
  /** What a card's action sends. */
  value: z.unknown().optional(),
  attachments: z
    .array(
      z.object({
        contentType: z.string().max(256),
        name: z.string().max(300).nullish(),
        contentUrl: z.string().max(4096).nullish(),
      }),
    )
    .max(50)
    .nullish(),
});
/** What `card.ts` puts on a button. */
const tapSchema = z.object({
  sealpost: z.object({ data: z.string().max(2048), text: z.string().max(300).optional() }),
});

export type Activity = z.infer<typeof activitySchema>;
export type Tap = z.infer<typeof tapSchema>['sealpost'];

/** `undefined` when the body is no activity. */
export function parseActivityBody(body: Uint8Array): Activity | undefined {
  return activitySchema.safeParse(jsonOf(body)).data;
}

export function parseTap(value: unknown): Tap | undefined {
  return tapSchema.safeParse(value).data?.sealpost;
}
