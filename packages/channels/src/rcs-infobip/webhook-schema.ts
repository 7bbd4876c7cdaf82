/**
 * The published forms of Infobip's RCS webhooks (models RcsWebhookDeliveryReport, RcsSeenReport and RcsInboundMessages of
 * infobip-api-java-client 6.4.0). All come as a list of `results`; a member tells which kind each is. Unknown members are
 * ignored, every one taken out is bounded.
 */
import { z } from 'zod';
import { jsonOf } from '../webhook-request.ts';
import { infobipStatusSchema } from './answer-schema.ts';

const id = z.string().min(1).max(200);
const time = z.string().max(64).optional();

const reportSchema = z.object({
  messageId: id,
  /** Absent in older forms of the report, which are about RCS alone. */
  channel: z.enum(['RCS', 'SMS', 'MMS']).optional(),
  status: infobipStatusSchema,
  doneAt: time,
});
const seenSchema = z.object({ messageId: id, seenAt: z.string().max(64) });
const inboundSchema = z.object({
  messageId: id,
  /** Who wrote; `to` is our sender. */
  sender: z.string().max(32),
  to: z.string().max(256),
  receivedAt: time,
  /** The message it answers. */
  pairedMessageId: z.string().max(200).nullish(),
  message: z.discriminatedUnion('type', [
    z.object({ type: z.literal('TEXT'), text: z.string().max(200_000) }),
    z.object({
      type: z.literal('SUGGESTION'),
      text: z.string().max(300).nullish(),
      postbackData: z.string().max(2048),
    }),
    z.object({
      type: z.literal('FILE'),
      url: z.string().max(4096).nullish(),
      name: z.string().max(300).nullish(),
      contentType: z.string().max(120).nullish(),
    }),
    z.object({ type: z.literal('LOCATION') }),
  ]),
});
const resultsSchema = z.object({ results: z.array(z.unknown()).max(1000) });

export type InfobipReport = z.infer<typeof reportSchema>;
export type InfobipSeen = z.infer<typeof seenSchema>;
export type InfobipInbound = z.infer<typeof inboundSchema>;
export type InfobipResult =
  | { readonly kind: 'report'; readonly value: InfobipReport }
  | { readonly kind: 'seen'; readonly value: InfobipSeen }
  | { readonly kind: 'inbound'; readonly value: InfobipInbound }
  /** Something else Infobip tells, of typing or of a conversation's start. */
  | { readonly kind: 'other' };

/** `undefined` when the body is no list of results. */
export function parseResults(body: Uint8Array): readonly InfobipResult[] | undefined {
  const parsed = resultsSchema.safeParse(jsonOf(body));
  return parsed.success ? parsed.data.results.map(resultOf) : undefined;
}

function resultOf(value: unknown): InfobipResult {
  const seen = seenSchema.safeParse(value);
  if (seen.success) return { kind: 'seen', value: seen.data };
  const report = reportSchema.safeParse(value);
  if (report.success) return { kind: 'report', value: report.data };
  const inbound = inboundSchema.safeParse(value);
  return inbound.success ? { kind: 'inbound', value: inbound.data } : { kind: 'other' };
}
