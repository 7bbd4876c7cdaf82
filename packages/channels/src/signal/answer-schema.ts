/**
 * What the two servers answer (signal-cli-jsonrpc(5); signal-cli-rest-api, "Swagger"), parsed once. Their words for people
 * can hold numbers and are not taken.
 */
import { z } from 'zod';
import { jsonOf } from '../webhook-request.ts';

/** Milliseconds since 1970: Signal's name for a message. */
export const timestampSchema = z.int().min(1).max(8.64e15);

const resultSchema = z.object({
  type: z.string().regex(/^[A-Z_]{1,40}$/),
  /** There where Signal asks for a captcha before anything more is sent. */
  token: z.string().nullish(),
  retryAfterSeconds: z.int().min(0).nullish(),
});
const sentSchema = z.object({ timestamp: timestampSchema, results: z.array(resultSchema).length(1) });
/** Beside an error, what became of it for each recipient. */
const failedSchema = z.object({ response: z.object({ results: z.array(resultSchema).length(1) }) });
const rpcSchema = z.object({
  result: z.unknown().optional(),
  error: z.object({ code: z.int(), data: z.unknown().optional() }).optional(),
});

export type SendResult = z.infer<typeof resultSchema>;
export interface RpcSent {
  readonly timestamp: number | undefined;
  readonly code: number | undefined;
  readonly result: SendResult | undefined;
}

/** `undefined` when the body is no answer about one message. */
export function parseRpcSent(body: string): RpcSent | undefined {
  const answer = rpcSchema.safeParse(jsonOf(body)).data;
  if (answer?.error !== undefined) {
    const result = failedSchema.safeParse(answer.error.data).data?.response.results[0];
    return { timestamp: undefined, code: answer.error.code, result };
  }
  const sent = sentSchema.safeParse(answer?.result).data;
  return sent && { timestamp: sent.timestamp, code: undefined, result: sent.results[0] };
}

const statusSchema = z.object({ result: z.array(z.object({ isRegistered: z.boolean() })).length(1) });
const searchSchema = z.array(z.object({ registered: z.boolean() })).length(1);

export function parseUserStatus(body: string): boolean | undefined {
  return statusSchema.safeParse(jsonOf(body)).data?.result[0]?.isRegistered;
}

export function parseSearch(body: string): boolean | undefined {
  return searchSchema.safeParse(jsonOf(body)).data?.[0]?.registered;
}

const restSentSchema = z.object({ timestamp: z.union([z.string().regex(/^\d{1,16}$/), timestampSchema]) });
const challengedSchema = z.object({ challenge_tokens: z.array(z.unknown()).min(1) });

export function parseRestSent(body: string): string | undefined {
  const timestamp = restSentSchema.safeParse(jsonOf(body)).data?.timestamp;
  return timestamp === undefined ? undefined : String(timestamp);
}

/** Whether Signal asks for a captcha. */
export function isChallenged(body: string): boolean {
  return challengedSchema.safeParse(jsonOf(body)).success;
}
