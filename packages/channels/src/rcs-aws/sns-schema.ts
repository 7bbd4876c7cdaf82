/**
 * The envelope of an SNS delivery over HTTPS (Amazon SNS, "HTTP/HTTPS notification JSON format"), raw delivery off. Every
 * member that is signed is taken out as it stands, because the signature covers its characters.
 */
import { z } from 'zod';
import { jsonOf } from '../webhook-request.ts';

const commonMembers = {
  MessageId: z.string().min(1).max(100),
  TopicArn: z.string().min(1).max(512),
  Message: z.string().max(400_000),
  Timestamp: z.string().min(1).max(64),
  SignatureVersion: z.enum(['1', '2']),
  Signature: z.string().min(1).max(2048),
  SigningCertURL: z.string().max(1024),
};

const envelopeSchema = z.discriminatedUnion('Type', [
  z.object({ Type: z.literal('Notification'), Subject: z.string().max(512).nullish(), ...commonMembers }),
  z.object({
    Type: z.enum(['SubscriptionConfirmation', 'UnsubscribeConfirmation']),
    Token: z.string().min(1).max(1024),
    SubscribeURL: z.string().max(4096),
    ...commonMembers,
  }),
]);
export type SnsEnvelope = z.infer<typeof envelopeSchema>;

export function parseEnvelope(body: Uint8Array): SnsEnvelope | undefined {
  return envelopeSchema.safeParse(jsonOf(body)).data;
}
