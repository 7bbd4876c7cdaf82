/** Control's HTTP interface: applications, alert senders, enrollment, and administration by signed approvals. */
import { z } from 'zod';
import { classificationSchema } from '../envelope.ts';
import { eventSchema } from '../events.ts';
import {
  agentIdSchema,
  base64urlSchema,
  channelNameSchema,
  deviceIdSchema,
  flowNameSchema,
  memberIdSchema,
  messageIdSchema,
  sessionIdSchema,
  timestampSchema,
} from '../ids.ts';
import { ADAPTERS, protectionSchema, useSchema } from '../protection.ts';
import { queryIntegerSchema } from './query.ts';

/** `POST /v1/token` (RFC 7523 section 2.2): proves a registered key, answers a token of minutes for one flow. */
export const tokenRequestSchema = z
  .strictObject({
    grant_type: z.literal('client_credentials'),
    client_assertion_type: z.literal('urn:ietf:params:oauth:client-assertion-type:jwt-bearer'),
    client_assertion: z.string().max(4096),
    scope: z
      .string()
      .max(200)
      .describe('flow:<name>; operator for an approver’s key; console, at the console, for a session’s key'),
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

const MESSAGE_STATES = [
  'accepted',
  'delivered',
  'read',
  'acknowledged',
  'expired',
  'undeliverable',
  'revoked',
] as const;

/** `GET /v1/messages/:message` */
export const messageStatusSchema = z
  .strictObject({
    message: messageIdSchema,
    flow: flowNameSchema,
    to: memberIdSchema,
    state: z.enum(MESSAGE_STATES),
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

// The console's listener: one sign-in, and reading.

const p256Coordinate = z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'use the base64url of 32 bytes');

/** `POST /v1/console/sessions`: a code, and the public half of a key that never leaves the browser. */
export const consoleSignInSchema = z
  .strictObject({
    code: z.string().min(1).max(64),
    publicKey: z.strictObject({
      crv: z.literal('P-256'),
      kty: z.literal('EC'),
      x: p256Coordinate,
      y: p256Coordinate,
    }),
  })
  .meta({ id: 'ConsoleSignIn' });
/** `session` is what assertions for scope `console` name as issuer and subject. */
export const consoleSessionSchema = z.strictObject({ session: sessionIdSchema, expires: timestampSchema });

/** `GET /v1/console/messages`: newest first. `stored`: sealed in control, and the gateway has not taken it yet. */
export const consoleMessagesSchema = z
  .strictObject({
    messages: z
      .array(
        z.strictObject({
          message: messageIdSchema,
          flow: flowNameSchema,
          to: memberIdSchema,
          at: timestampSchema.describe('when control had sealed it'),
          state: z.enum(['stored', ...MESSAGE_STATES]),
        }),
      )
      .max(50),
  })
  .meta({ id: 'ConsoleMessages' });
export type ConsoleMessage = z.infer<typeof consoleMessagesSchema>['messages'][number];

/** `GET /v1/console/changes?after=&wait=`: waits up to `wait` ms for an entry after that position. */
export const consoleChangesQuerySchema = z.strictObject({
  after: queryIntegerSchema(-1).default(-1),
  wait: queryIntegerSchema(0, 20_000).default(0),
});
export const consoleChangesSchema = z.strictObject({
  position: z.int().min(-1).describe('where to ask from next'),
  messages: z.array(messageIdSchema).describe('whose timelines have grown'),
});

/** `GET /v1/console/log` */
export const consoleLogSchema = z.strictObject({ checkpoint: z.string().max(16_384).describe('C2SP signed note') });

/** `GET /v1/console/flows`: what the running bundle says about routes; no policy and no text of a notice. */
export const consoleFlowsSchema = z
  .strictObject({
    version: z.int().min(0).describe('0 while no bundle runs'),
    flows: z.array(
      z.strictObject({
        name: flowNameSchema,
        purpose: z.string(),
        agent: agentIdSchema,
        classification: classificationSchema,
        floor: protectionSchema,
        ladder: z.array(
          z.strictObject({
            channel: channelNameSchema,
            adapter: z.enum(ADAPTERS),
            use: useSchema,
            after: z.int().min(0),
          }),
        ),
        expires: z.int().min(0),
      }),
    ),
  })
  .meta({ id: 'ConsoleFlows' });
export type ConsoleFlow = z.infer<typeof consoleFlowsSchema>['flows'][number];

/** What subscribers are told, as CloudEvents 1.0; docs/events.md says what each holds. */
export const SUBSCRIBED_TYPES = [
  'sealpost.message.replied',
  'sealpost.message.suggestion',
  'sealpost.message.file',
  'sealpost.message.opted-out',
  'sealpost.message.opted-in',
  'sealpost.message.delivered',
  'sealpost.message.read',
  'sealpost.message.ended',
  'sealpost.message.revoked',
  'sealpost.subscription.disabled',
] as const;
export type SubscribedType = (typeof SUBSCRIBED_TYPES)[number];

export const subscriptionIdSchema = z.uuidv4().brand<'SubscriptionId'>();
export type SubscriptionId = z.infer<typeof subscriptionIdSchema>;

/** `POST /v1/subscriptions`, with an application's token. */
export const subscriptionRequestSchema = z
  .strictObject({
    url: z.string().min(1).max(2048).describe('https, without credentials and fragment'),
    types: z.array(z.enum(SUBSCRIBED_TYPES)).min(1).max(SUBSCRIBED_TYPES.length),
    flow: flowNameSchema.optional().describe('one of the token’s; without it all of them'),
  })
  .meta({ id: 'SubscriptionRequest' });
/** Shown once: the secret of the first signature (HMAC-SHA-256), and the public key of the second (Ed25519). */
export const subscriptionMadeSchema = z.strictObject({
  subscription: subscriptionIdSchema,
  secret: z.string().describe('whsec_ and base64'),
  publicKey: z.string().describe('whpk_ and base64'),
});
export const subscriptionsSchema = z
  .strictObject({
    publicKey: z.string().describe('whpk_ and base64'),
    subscriptions: z
      .array(
        z.strictObject({
          subscription: subscriptionIdSchema,
          url: z.string(),
          types: z.array(z.enum(SUBSCRIBED_TYPES)),
          flows: z.array(flowNameSchema),
          created: timestampSchema,
          disabled: timestampSchema.nullable().describe('when it was given up, after days of failures or at 410'),
        }),
      )
      .max(20),
  })
  .meta({ id: 'Subscriptions' });
/** `GET /v1/subscriptions/:subscription/dead-letters`: given up after the last try, oldest first. */
export const deadLettersSchema = z
  .strictObject({
    deadLetters: z
      .array(
        z.strictObject({
          event: z.uuid(),
          type: z.enum(SUBSCRIBED_TYPES),
          made: timestampSchema,
          tries: z.int().min(1),
          code: z.string().describe('why the last try failed: a status, or what kept it from being answered'),
        }),
      )
      .max(100),
  })
  .meta({ id: 'DeadLetters' });
export const replayedSchema = z.strictObject({ replayed: z.int().min(0) });
