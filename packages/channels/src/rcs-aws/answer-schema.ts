/** What `SendRcsMessage` answers in AWS JSON 1.0, parsed once. Free text is not taken out at all. */
import { z } from 'zod';
import { jsonOf } from '../webhook-request.ts';

const sentSchema = z.object({ MessageId: z.string().min(1).max(256) });
const errorSchema = z.object({ __type: z.string().max(256), Reason: z.string().max(128).optional() });

export interface AwsError {
  readonly type: string | undefined;
  /** Of a ValidationException, ConflictException or AccessDeniedException. */
  readonly reason: string | undefined;
}

export function parseSentId(body: string): string | undefined {
  return sentSchema.safeParse(jsonOf(body)).data?.MessageId;
}

/** `__type` may carry a namespace before `#`. */
export function parseAwsError(body: string): AwsError {
  const parsed = errorSchema.safeParse(jsonOf(body));
  if (!parsed.success) return { type: undefined, reason: undefined };
  const type = /(?:^|#)([A-Za-z]{1,64})$/.exec(parsed.data.__type)?.[1];
  const reason = /^[A-Z0-9_]{1,80}$/.exec(parsed.data.Reason ?? '')?.[0];
  return { type, reason };
}
