/**
 * The envelope: what the gateway accepts and carries (DESIGN section 5). Its id is the hash of its canonical form, so
 * that it names exactly these bytes; signature and path stand beside it and are not part of it.
 */
import { z } from 'zod';
import { canonicalBytes } from './canonical.ts';
import {
  agentIdSchema,
  base64urlSchema,
  blobIdSchema,
  channelNameSchema,
  conversationIdSchema,
  flowNameSchema,
  keyIdSchema,
  memberIdSchema,
  messageIdSchema,
  organisationSchema,
  timestampSchema,
} from './ids.ts';
import { protectionSchema, useSchema } from './protection.ts';

export const CLASSIFICATIONS = ['public', 'internal', 'confidential', 'restricted'] as const;
export const classificationSchema = z.enum(CLASSIFICATIONS);
export type Classification = z.infer<typeof classificationSchema>;

/** Content for enrolled devices: one MLS PrivateMessage (RFC 9420 section 6.3). */
export const devicePartSchema = z.strictObject({
  form: z.literal('device'),
  epoch: z.int().min(0),
  /** TLS-encoded MLSMessage. */
  ciphertext: base64urlSchema(350_000),
});

/** What one channel may carry, HPKE-sealed to the dispatch key (RFC 9180 base mode). */
export const carrierPartSchema = z.strictObject({
  form: z.literal('carrier'),
  channel: channelNameSchema,
  use: useSchema,
  key: keyIdSchema,
  encapsulated: base64urlSchema(128),
  /** A clear form may hold a file of 180 kB (`carriedFileSchema`). */
  ciphertext: base64urlSchema(350_000),
});

export const partSchema = z.discriminatedUnion('form', [devicePartSchema, carrierPartSchema]);

export const envelopeSchema = z
  .strictObject({
    v: z.literal(1),
    organisation: organisationSchema,
    sender: agentIdSchema,
    message: messageIdSchema,
    conversation: conversationIdSchema,
    recipient: memberIdSchema,
    flow: flowNameSchema,
    bundle: z.int().min(1),
    classification: classificationSchema,
    floor: protectionSchema,
    created: timestampSchema,
    expires: timestampSchema,
    parts: z.array(partSchema).min(1).max(16),
    /** Sealed attachments this message refers to; the gateway lets only the conversation's devices fetch them. */
    blobs: z.array(blobIdSchema).max(16),
    /** HMAC-SHA256(opening key, canonical content, sender, conversation, message): see crypto/verify. */
    commitment: base64urlSchema(43),
  })
  .meta({ id: 'Envelope' });

export type DevicePart = z.infer<typeof devicePartSchema>;
export type CarrierPart = z.infer<typeof carrierPartSchema>;
export type Part = z.infer<typeof partSchema>;
export type Envelope = z.infer<typeof envelopeSchema>;

/** The bytes an envelope id is the SHA-256 of. */
export function envelopeBytes(envelope: Envelope): Uint8Array<ArrayBuffer> {
  return canonicalBytes(envelope);
}

/** What control signs for a whole submission (DESIGN section 7, batch signatures). */
export const batchStatementSchema = z.strictObject({
  context: z.literal('sealpost/batch/v1'),
  audience: z.string().min(1).max(255),
  bundle: z.int().min(1),
  expires: timestampSchema,
  key: keyIdSchema,
  root: base64urlSchema(43),
  size: z.int().min(1).max(1000),
});
export type BatchStatement = z.infer<typeof batchStatementSchema>;

/** Body of `POST /v1/envelopes`: the envelopes of one batch with their Merkle paths, bottom first. */
export const submissionSchema = z
  .strictObject({
    statement: batchStatementSchema,
    /** Over the canonical statement, by `statement.key`; base64url of 64 bytes. */
    signature: base64urlSchema(86),
    envelopes: z
      .array(
        z.strictObject({ envelope: envelopeSchema, index: z.int().min(0), path: z.array(base64urlSchema(43)).max(10) }),
      )
      .min(1)
      .max(1000),
  })
  .meta({ id: 'Submission' });
export type Submission = z.infer<typeof submissionSchema>;

export const submissionResultSchema = z.strictObject({
  results: z.array(
    z.discriminatedUnion('outcome', [
      z.strictObject({
        outcome: z.enum(['accepted', 'duplicate']),
        envelope: z.string(),
        receipt: z.string().describe('JWS: the signed promise of inclusion'),
      }),
      z.strictObject({ outcome: z.literal('refused'), envelope: z.string(), code: z.string() }),
    ]),
  ),
});
export type SubmissionResult = z.infer<typeof submissionResultSchema>;
