/** Control's HTTP interface: applications, alert senders, enrollment, and administration by signed approvals. */
import { z } from 'zod';
import { eventSchema } from '../events.ts';
import {
  base64urlSchema,
  channelNameSchema,
  deviceIdSchema,
  flowNameSchema,
  memberIdSchema,
  messageIdSchema,
  timestampSchema,
} from '../ids.ts';
import { useSchema } from '../protection.ts';

/** `POST /v1/token` (RFC 7523 section 2.2): proves a registered key, answers a token of minutes for one flow. */
export const tokenRequestSchema = z
  .strictObject({
    grant_type: z.literal('client_credentials'),
    client_assertion_type: z.literal('urn:ietf:params:oauth:client-assertion-type:jwt-bearer'),
    client_assertion: z.string().max(4096),
    scope: z.string().max(200).describe('flow:<name>, or operator for an approver key'),
  })
  .meta({ id: 'TokenRequest' });
export const tokenAnswerSchema = z.strictObject({
  access_token: z.string(),
  token_type: z.literal('Bearer'),
  expires_in: z.int().min(1),
  scope: z.string(),
});

/** `POST /v1/messages`, with header `Idempotency-Key`. */
export const messageRequestSchema = z
  .strictObject({
    flow: flowNameSchema,
    to: memberIdSchema,
    content: z.strictObject({
      subject: z.string().min(1).max(300),
      body: z.string().max(100_000),
      facts: z
        .array(z.strictObject({ name: z.string().min(1).max(200), value: z.string().max(2000) }))
        .max(100)
        .default([]),
      acknowledge: z.boolean().default(false),
    }),
    /** Ask for one route instead of the flow's ladder; refused below the floor. */
    route: z.strictObject({ channel: channelNameSchema, use: useSchema }).optional(),
  })
  .meta({ id: 'MessageRequest' });
export type MessageRequest = z.infer<typeof messageRequestSchema>;

export const messageAcceptedSchema = z
  .strictObject({
    message: messageIdSchema,
    envelope: z.string(),
    receipt: z.string().describe('JWS: the gateway’s signed promise of inclusion'),
  })
  .meta({ id: 'MessageAccepted' });

/** `GET /v1/messages/:message` */
export const messageStatusSchema = z
  .strictObject({
    message: messageIdSchema,
    flow: flowNameSchema,
    to: memberIdSchema,
    state: z.enum(['accepted', 'delivered', 'read', 'acknowledged', 'expired', 'undeliverable']),
    timeline: z.array(z.strictObject({ event: eventSchema, position: z.int().min(0).nullable() })),
  })
  .meta({ id: 'MessageStatus' });
export type MessageStatus = z.infer<typeof messageStatusSchema>;

/**
 * Alertmanager's webhook, version 4, as published (labels and annotations are free maps). `POST /v1/alerts`, Bearer secret.
 * Members Alertmanager may add later are ignored, as its documentation reserves them.
 */
const labels = z.record(z.string().max(1024), z.string().max(16_384));
export const alertmanagerSchema = z
  .object({
    version: z.literal('4'),
    groupKey: z.string().min(1).max(4096),
    truncatedAlerts: z.int().min(0).optional(),
    status: z.enum(['firing', 'resolved']),
    receiver: z.string().max(1024),
    groupLabels: labels,
    commonLabels: labels,
    commonAnnotations: labels,
    externalURL: z.string().max(4096),
    alerts: z
      .array(
        z.object({
          status: z.enum(['firing', 'resolved']),
          labels,
          annotations: labels,
          startsAt: z.iso.datetime({ offset: true }),
          endsAt: z.iso.datetime({ offset: true }),
          generatorURL: z.string().max(4096),
          fingerprint: z.string().max(64),
        }),
      )
      .min(1)
      .max(200),
  })
  .meta({ id: 'AlertmanagerWebhook' });
export type AlertmanagerWebhook = z.infer<typeof alertmanagerSchema>;

/** `POST /v1/enrollments`: the code, and a PKCS#10 request (RFC 2986) whose signature proves possession of the key. */
export const enrollmentRequestSchema = z
  .strictObject({ code: z.string().max(64), name: z.string().min(1).max(60), request: base64urlSchema(8192) })
  .meta({ id: 'EnrollmentRequest' });
export const enrollmentAnswerSchema = z.strictObject({
  device: deviceIdSchema,
  member: memberIdSchema,
  chain: z.array(base64urlSchema(8192)).min(1).max(4),
  trust: z.string().describe('JWS of the trust file'),
  gateway: z.url().describe('device listener'),
  expires: timestampSchema,
});
export type EnrollmentAnswer = z.infer<typeof enrollmentAnswerSchema>;

export const adminAnswerSchema = z.strictObject({ outcome: z.enum(['done', 'already']) });
