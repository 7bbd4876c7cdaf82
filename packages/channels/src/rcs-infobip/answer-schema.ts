/**
 * What Infobip answers, parsed once (models of infobip-api-java-client 6.4.0: MessageResponse, RcsLogsResponse,
 * RcsCapabilityCheckSyncResponse, ApiError). Unknown members are ignored; descriptions are not taken out at all.
 */
import { z } from 'zod';
import { jsonOf } from '../webhook-request.ts';

const code = z.string().regex(/^[A-Za-z0-9_]{1,64}$/);

/** MessageStatus: a general status as its group, and the precise one as its name. */
export const infobipStatusSchema = z.object({ groupName: code, name: code });
export type InfobipStatus = z.infer<typeof infobipStatusSchema>;

const sentSchema = z.object({
  messages: z.array(z.object({ messageId: z.string().max(256), status: infobipStatusSchema })).length(1),
});
const logsSchema = z.object({
  results: z
    .array(z.object({ messageId: z.string().max(256), status: infobipStatusSchema }))
    .max(1000)
    .nullish(),
});
const capabilitySchema = z.object({
  capabilityCheckResults: z.array(z.object({ phoneNumber: z.string().max(32), code })).length(1),
});
const errorSchema = z.object({ errorCode: code });
/** The error form of before ApiError, which some endpoints still answer. */
const earlierErrorSchema = z.object({
  requestError: z.object({ serviceException: z.object({ messageId: code }) }),
});

export interface InfobipMessage {
  readonly messageId: string;
  readonly status: InfobipStatus;
}

export function parseSent(body: string): InfobipMessage | undefined {
  return sentSchema.safeParse(jsonOf(body)).data?.messages[0];
}

/** `undefined` when it is no log; an empty list when it knows nothing. */
export function parseLogs(body: string): readonly InfobipMessage[] | undefined {
  const parsed = logsSchema.safeParse(jsonOf(body));
  return parsed.success ? (parsed.data.results ?? []) : undefined;
}

export function parseCapability(body: string): string | undefined {
  return capabilitySchema.safeParse(jsonOf(body)).data?.capabilityCheckResults[0]?.code;
}

export function parseInfobipError(body: string): string | undefined {
  const value = jsonOf(body);
  return (
    errorSchema.safeParse(value).data?.errorCode ??
    earlierErrorSchema.safeParse(value).data?.requestError.serviceException.messageId
  );
}
