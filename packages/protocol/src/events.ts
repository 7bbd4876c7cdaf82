/**
 * Events: what the log holds. Each record below is the canonical JSON a leaf commits to; together those of one message
 * are its timeline. No record holds content, an address, a token or a provider's free text.
 */
import { z } from 'zod';
import { canonicalJson } from './canonical.ts';
import {
  attemptIdSchema,
  base64urlSchema,
  channelNameSchema,
  conversationIdSchema,
  deviceIdSchema,
  envelopeIdSchema,
  flowNameSchema,
  memberIdSchema,
  messageIdSchema,
  timestampSchema,
} from './ids.ts';
import { ADAPTERS, protectionSchema, useSchema } from './protection.ts';
import { DEVICE_RECEIPT_KINDS } from './receipt.ts';

const base = { v: z.literal(1), at: timestampSchema };
const ofMessage = { ...base, message: messageIdSchema };
const step = z.int().min(0).max(15);
const code = z.string().max(120);

export const eventSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('message.accepted'),
    ...ofMessage,
    envelope: envelopeIdSchema,
    conversation: conversationIdSchema,
    recipient: memberIdSchema,
    flow: flowNameSchema,
    bundle: z.int(),
    floor: protectionSchema,
    expires: timestampSchema,
    commitment: base64urlSchema(43),
  }),
  /** A ladder step was taken or passed over, and why. */
  z.strictObject({
    kind: z.literal('route.step'),
    ...ofMessage,
    step,
    channel: channelNameSchema,
    adapter: z.enum(ADAPTERS),
    use: useSchema,
    decision: z.enum(['taken', 'skipped']),
    reason: code,
  }),
  z.strictObject({
    kind: z.literal('attempt.started'),
    ...ofMessage,
    step,
    attempt: attemptIdSchema,
    channel: channelNameSchema,
    try: z.int().min(1),
  }),
  z.strictObject({
    kind: z.literal('attempt.ended'),
    ...ofMessage,
    step,
    attempt: attemptIdSchema,
    channel: channelNameSchema,
    outcome: z.enum(['accepted', 'retry-after', 'ambiguous', 'downgrade', 'permanent', 'auth-broken', 'security-stop']),
    reason: code,
  }),
  z.strictObject({
    kind: z.literal('receipt.provider'),
    ...ofMessage,
    step,
    attempt: attemptIdSchema,
    channel: channelNameSchema,
    status: z.enum(['delivered', 'read', 'expired', 'failed']),
    code,
    effect: z.enum(['counted', 'duplicate', 'late']),
  }),
  /** A device's signed receipt; `jws` is the evidence. */
  z.strictObject({
    kind: z.literal('receipt.device'),
    ...ofMessage,
    device: deviceIdSchema,
    receipt: z.enum(DEVICE_RECEIPT_KINDS),
    jws: z.string().max(2048),
  }),
  z.strictObject({
    kind: z.literal('message.ended'),
    ...ofMessage,
    state: z.enum(['read', 'expired', 'undeliverable']),
    reason: code,
  }),
  z.strictObject({
    kind: z.literal('directory.changed'),
    ...base,
    member: memberIdSchema,
    device: deviceIdSchema,
    change: z.enum(['enrolled', 'revoked']),
    entry: base64urlSchema(43).describe('SHA-256 of the entry JWS'),
    approval: base64urlSchema(43),
  }),
  z.strictObject({
    kind: z.literal('group.created'),
    ...base,
    conversation: conversationIdSchema,
    creator: z.string().max(300),
  }),
  z.strictObject({
    kind: z.literal('group.committed'),
    ...base,
    conversation: conversationIdSchema,
    epoch: z.int(),
    committer: z.string().max(300),
    commit: base64urlSchema(43),
  }),
  z.strictObject({
    kind: z.literal('bundle.applied'),
    ...base,
    version: z.int(),
    bundle: base64urlSchema(43),
    operator: base64urlSchema(43),
  }),
  /** The gateway's data were replaced by a backup of an earlier moment: what was promised after `size` may be missing. */
  z.strictObject({
    kind: z.literal('log.restored'),
    ...base,
    backup: base64urlSchema(43).describe('SHA-256 of the backup’s contents'),
    taken: timestampSchema,
    size: z.int().min(0).describe('Size of the last checkpoint in the backup'),
  }),
]);
export type LogEvent = z.infer<typeof eventSchema>;
export type EventKind = LogEvent['kind'];
export type EventOf<K extends EventKind> = Extract<LogEvent, { kind: K }>;

/** The event a record of the log says; `undefined` when it is no event known here, or not in canonical form. */
export function eventOfRecord(record: string): LogEvent | undefined {
  try {
    const event = eventSchema.safeParse(JSON.parse(record));
    return event.success && canonicalJson(event.data) === record ? event.data : undefined;
  } catch {
    return undefined;
  }
}
