/**
 * Identifiers, one brand each, and the shapes they have on the wire. Names people choose (agents, flows, members,
 * channels) are slugs; things Sealpost makes carry a prefix so that one is never mistaken for another in a log.
 */
import { z } from 'zod';

const slug = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'use 1 to 63 of a-z, 0-9 and inner hyphens');
const token = (prefix: string) =>
  z.string().regex(new RegExp(`^${prefix}_[A-Za-z0-9_-]{22}$`), `use ${prefix}_ and 22 base64url letters`);
const digest = z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'use a SHA-256 digest in base64url');

export const organisationSchema = z
  .string()
  .max(253)
  .regex(/^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/, 'use a domain name such as acme.example')
  .brand<'Organisation'>();
export const agentIdSchema = slug.brand<'AgentId'>();
export const memberIdSchema = slug.brand<'MemberId'>();
export const flowNameSchema = slug.brand<'FlowName'>();
export const channelNameSchema = slug.brand<'ChannelName'>();
/** A provider account; a channel that names none has one of its own name. */
export const vendorNameSchema = slug.brand<'VendorName'>();
export const deviceIdSchema = token('dev').brand<'DeviceId'>();
export const conversationIdSchema = token('con').brand<'ConversationId'>();
export const sessionIdSchema = token('ses').brand<'SessionId'>();
/** UUID of version 7 (RFC 9562 section 5.7): sorts by time of creation. */
export const messageIdSchema = z.uuidv7().brand<'MessageId'>();
/** UUID of version 4; the idempotency key a provider sees for one attempt. */
export const attemptIdSchema = z.uuidv4().brand<'AttemptId'>();
/** SHA-256 of the canonical envelope without signature and path, base64url. */
export const envelopeIdSchema = digest.brand<'EnvelopeId'>();
/** SHA-256 of the sealed blob, base64url. */
export const blobIdSchema = digest.brand<'BlobId'>();
/** RFC 7638 thumbprint of a public key, base64url. */
export const keyIdSchema = digest.brand<'KeyId'>();

export type Organisation = z.infer<typeof organisationSchema>;
export type AgentId = z.infer<typeof agentIdSchema>;
export type MemberId = z.infer<typeof memberIdSchema>;
export type FlowName = z.infer<typeof flowNameSchema>;
export type ChannelName = z.infer<typeof channelNameSchema>;
export type VendorName = z.infer<typeof vendorNameSchema>;
export type DeviceId = z.infer<typeof deviceIdSchema>;
export type ConversationId = z.infer<typeof conversationIdSchema>;
export type SessionId = z.infer<typeof sessionIdSchema>;
export type MessageId = z.infer<typeof messageIdSchema>;
export type AttemptId = z.infer<typeof attemptIdSchema>;
export type EnvelopeId = z.infer<typeof envelopeIdSchema>;
export type BlobId = z.infer<typeof blobIdSchema>;
export type KeyId = z.infer<typeof keyIdSchema>;

/** Milliseconds since the Unix epoch. */
export const timestampSchema = z.int().min(0).max(8.64e15);
export type Timestamp = z.infer<typeof timestampSchema>;

/** Bytes as canonical base64url of at most `max` characters. */
export function base64urlSchema(max: number) {
  return z
    .string()
    .max(max)
    .regex(/^[A-Za-z0-9_-]*$/, 'use base64url without padding');
}

const hexByte = (byte: number) => byte.toString(16).padStart(2, '0');

/** A version 7 UUID from `now` (ms) and 10 random bytes (RFC 9562 section 5.7). */
export function newMessageId(now: Timestamp, random: Uint8Array): MessageId {
  const bytes = new Uint8Array(16);
  for (let i = 0; i < 6; i++) bytes[i] = Math.floor(now / 2 ** (8 * (5 - i))) & 0xff;
  bytes.set(random.subarray(0, 10), 6);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, hexByte).join('');
  return messageIdSchema.parse(
    `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`,
  );
}
