/**
 * How one `messages:send` call ended (Sinch, "Conversation API: Send a message" and its errors, in Google's form). Sinch
 * documents no idempotency key, so only what it certainly did not take is repeated.
 */
import { z } from 'zod';
import type { HttpResult } from '../http-call.ts';
import type { CallOutcome } from '../oauth-token.ts';
import { commonRefusal, reasonOf, withoutAnswer } from '../single-effect.ts';
import { jsonOf } from '../webhook-request.ts';

/** SendMessageResponse. */
const sentSchema = z.object({ message_id: z.string().regex(/^[A-Za-z0-9_-]{1,128}$/) });
const errorSchema = z.object({ error: z.object({ status: z.string().regex(/^[A-Z_]{1,64}$/) }) });

export function classifySinch(result: HttpResult): CallOutcome {
  if (result.kind !== 'answered') return withoutAnswer(result);
  const body = jsonOf(result.body);
  if (result.status === 200) {
    const sent = sentSchema.safeParse(body);
    return sent.success
      ? { kind: 'accepted', providerMessageId: sent.data.message_id }
      : { kind: 'ambiguous', reason: '200 without a message' };
  }
  if (result.status === 401) return { kind: 'unauthorized' };
  const reason = reasonOf(result.status, errorSchema.safeParse(body).data?.error.status);
  const common = commonRefusal(result, reason);
  if (common !== undefined) return common;
  // 403: the key may not use this project; 404: there is no such project or app. Neither is about the person.
  return { kind: result.status === 403 || result.status === 404 ? 'auth-broken' : 'permanent', reason };
}
