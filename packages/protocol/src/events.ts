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
  vendorNameSchema,
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
    /** Taken, passed over for good, put off to a time, or waiting for a form control is asked for. */
    decision: z.enum(['taken', 'skipped', 'deferred', 'waiting']),
    reason: code,
    /** The provider account that was chosen; absent where nothing is sent, and in records of before there were vendors. */
    vendor: vendorNameSchema.optional(),
    until: timestampSchema.optional(),
  }),
  /** Control decided again about a weaker form (DESIGN section 5): it gave it, or it would not. */
  z.strictObject({
    kind: z.literal('form.received'),
    ...ofMessage,
    step,
    channel: channelNameSchema,
    use: useSchema,
    form: base64urlSchema(43).describe('SHA-256 of the sealed form'),
  }),
  z.strictObject({
    kind: z.literal('form.refused'),
    ...ofMessage,
    step,
    channel: channelNameSchema,
    use: useSchema,
    code,
  }),
  z.strictObject({
    kind: z.literal('attempt.started'),
    ...ofMessage,
    step,
    attempt: attemptIdSchema,
    channel: channelNameSchema,
    vendor: vendorNameSchema.optional(),
    try: z.int().min(1),
  }),
  /** The provider was asked what became of an ambiguous try, or told to take a message back. */
  z.strictObject({
    kind: z.literal('attempt.asked'),
    ...ofMessage,
    step,
    attempt: attemptIdSchema,
    channel: channelNameSchema,
    vendor: vendorNameSchema,
    task: z.enum(['query', 'revoke']),
  }),
  z.strictObject({
    kind: z.literal('attempt.taken-back'),
    ...ofMessage,
    step,
    attempt: attemptIdSchema,
    channel: channelNameSchema,
    result: z.enum(['revoked', 'too-late', 'retry-after', 'unknown']),
    reason: code,
  }),
  z.strictObject({
    kind: z.literal('attempt.ended'),
    ...ofMessage,
    step,
    attempt: attemptIdSchema,
    channel: channelNameSchema,
    outcome: z.enum(['accepted', 'retry-after', 'ambiguous', 'downgrade', 'permanent', 'auth-broken', 'security-stop']),
    reason: code,
    /** Why nobody tries again what was not taken, where that is not the outcome's own doing: the step is left. */
    left: z.enum(['below-floor', 'vendor-expired', 'no-capability', 'not-rolled-out']).optional(),
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
    state: z.enum(['read', 'expired', 'undeliverable', 'revoked']),
    reason: code,
  }),
  /** The sender took it back: nothing more of it is sent, and what can be taken back is. */
  z.strictObject({ kind: z.literal('message.revoked'), ...ofMessage, by: z.string().max(120) }),
  /** A provider account was closed to everything, or opened again: the kill switch. */
  z.strictObject({
    kind: z.literal('vendor.switched'),
    ...base,
    vendor: vendorNameSchema,
    open: z.boolean(),
    by: z.string().max(120),
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
