/**
 * An AgentMessage as the platform accepts it (API reference, phones.agentMessages): unknown members are refused, lengths
 * are those of the reference. Rich content is checked to be an object and carried no further.
 */
import { z } from 'zod';

const url = z.string().max(2048);
const actionSchema = z.strictObject({
  text: z.string().max(25),
  postbackData: z.string().max(2048),
  fallbackUrl: url.optional(),
  openUrlAction: z
    .strictObject({
      url,
      application: z.string().optional(),
      webviewViewMode: z.string().optional(),
      description: z.string().optional(),
    })
    .optional(),
  dialAction: z.looseObject({}).optional(),
  viewLocationAction: z.looseObject({}).optional(),
  shareLocationAction: z.looseObject({}).optional(),
  createCalendarEventAction: z.looseObject({}).optional(),
  composeAction: z.looseObject({}).optional(),
});
const replySchema = z.strictObject({ text: z.string().max(25), postbackData: z.string().max(2048) });

const agentMessageSchema = z
  .strictObject({
    contentMessage: z.strictObject({
      text: z.string().max(3072).optional(),
      suggestions: z
        .array(z.strictObject({ action: actionSchema.optional(), reply: replySchema.optional() }))
        .max(11)
        .optional(),
      richCard: z.looseObject({}).optional(),
      contentInfo: z.looseObject({}).optional(),
      uploadedRbmFile: z.looseObject({}).optional(),
      fileName: z.string().optional(),
    }),
    messageTrafficType: z
      .enum([
        'MESSAGE_TRAFFIC_TYPE_UNSPECIFIED',
        'AUTHENTICATION',
        'TRANSACTION',
        'PROMOTION',
        'SERVICEREQUEST',
        'ACKNOWLEDGEMENT',
      ])
      .optional(),
    expireTime: z.iso.datetime({ offset: true }).optional(),
    ttl: z
      .string()
      .regex(/^\d{1,9}(\.\d{1,9})?s$/)
      .optional(),
    richMessageClassification: z.looseObject({}).optional(),
  })
  .refine(({ ttl, expireTime }) => ttl === undefined || expireTime === undefined, 'ttl or expireTime, not both');

export type AgentMessage = z.infer<typeof agentMessageSchema>;

const MAX_BYTES = 250 * 1024;
const MAX_LIFE_MS = 15 * 86_400_000;

export type ParsedAgentMessage =
  | {
      readonly kind: 'message';
      readonly message: AgentMessage;
      readonly text: string;
      readonly url: string | undefined;
      readonly expires: number | undefined;
    }
  | { readonly kind: 'invalid'; readonly detail: string };

export function parseAgentMessage(body: string, now: number): ParsedAgentMessage {
  if (body.length > MAX_BYTES) return { kind: 'invalid', detail: 'message larger than 250 KB' };
  const parsed = agentMessageSchema.safeParse(parseJson(body));
  if (!parsed.success) return { kind: 'invalid', detail: z.prettifyError(parsed.error) };
  const { contentMessage, expireTime, ttl } = parsed.data;
  const expires = expireTime !== undefined ? Date.parse(expireTime) : ttl && now + Number.parseFloat(ttl) * 1000;
  if (typeof expires === 'number' && (expires <= now || expires > now + MAX_LIFE_MS))
    return { kind: 'invalid', detail: 'expiration not within 15 days' };
  const opened = contentMessage.suggestions?.find(({ action }) => action?.openUrlAction !== undefined)?.action;
  return {
    kind: 'message',
    message: parsed.data,
    text: contentMessage.text ?? '',
    url: opened?.openUrlAction?.url,
    expires: typeof expires === 'number' ? expires : undefined,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
