/** What can still be told of an envelope that does not parse: enough to say to its sender that it could not be read. */
import { sha256 } from '@sealpost/crypto/verify';
import {
  conversationIdSchema,
  envelopeIdSchema,
  envelopeSchema,
  flowNameSchema,
  messageIdSchema,
  timestampSchema,
  toBase64url,
  utf8,
} from '@sealpost/protocol';

const UNKNOWN_FLOW = flowNameSchema.parse('unknown');

/** `undefined` when it does not even name message, conversation and commitment. */
export function damagedEnvelope(raw: unknown) {
  if (!isRecord(raw) || raw.kind !== 'envelope' || !isRecord(raw.envelope)) return undefined;
  const { envelope } = raw;
  const message = messageIdSchema.safeParse(raw.message);
  const conversation = conversationIdSchema.safeParse(envelope.conversation);
  const commitment = envelopeSchema.shape.commitment.safeParse(envelope.commitment);
  if (!message.success || !conversation.success || !commitment.success) return undefined;
  return {
    message: message.data,
    conversation: conversation.data,
    commitment: commitment.data,
    flow: flowNameSchema.safeParse(envelope.flow).data ?? UNKNOWN_FLOW,
    sentAt: timestampSchema.safeParse(envelope.created).data ?? 0,
    envelope: envelopeIdSchema.parse(toBase64url(sha256(utf8(JSON.stringify(envelope))))),
  };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
