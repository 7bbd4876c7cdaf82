/**
 * The gateway's HTTP interfaces. `/v1/*` on the device listener is called by devices, each request signed (RFC 9421, see
 * crypto/verify); `/internal/v1/*` on the internal listener is called by control over mutual TLS 1.3.
 */
import { z } from 'zod';
import { eventSchema } from '../events.ts';
import { formNeedSchema } from '../form.ts';
import {
  base64urlSchema,
  channelNameSchema,
  conversationIdSchema,
  deviceIdSchema,
  flowNameSchema,
  keyIdSchema,
  memberIdSchema,
  messageIdSchema,
  timestampSchema,
  vendorNameSchema,
} from '../ids.ts';
import { ADAPTERS, protectionSchema, useSchema } from '../protection.ts';
import { queryIntegerSchema } from './query.ts';

const mlsMessage = base64urlSchema(2_000_000);

// device listener

/** `POST /v1/key-packages`: refills the device's pool; a last-resort package replaces the previous one. */
export const keyPackageUploadSchema = z
  .strictObject({
    packages: z
      .array(z.strictObject({ keyPackage: base64urlSchema(40_000), lastResort: z.boolean() }))
      .min(1)
      .max(100),
  })
  .meta({ id: 'KeyPackageUpload' });
export const keyPackageUploadResultSchema = z.strictObject({ available: z.int().min(0) });

/** `POST /v1/receipts`: signed device receipts; the answer names each in order. */
export const receiptUploadSchema = z
  .strictObject({ receipts: z.array(z.string().max(2048)).min(1).max(100) })
  .meta({ id: 'ReceiptUpload' });
export const receiptUploadResultSchema = z.strictObject({
  results: z.array(
    z.strictObject({ outcome: z.enum(['recorded', 'duplicate', 'refused']), code: z.string().optional() }),
  ),
});

// internal listener

export const bundlePutSchema = z
  .strictObject({ bundle: z.string().max(2_000_000).describe('JWS'), approval: z.string().max(4096).describe('JWS') })
  .meta({ id: 'BundlePut' });
export const bundleStateSchema = z.strictObject({ version: z.int().min(0), expires: timestampSchema.nullable() });

export const directoryPostSchema = z
  .strictObject({ entry: z.string().max(65_536).describe('JWS of a DirectoryEntry') })
  .meta({ id: 'DirectoryPost' });

/** What proves one event: its record and salt, where its leaf is, and the path to a signed checkpoint. */
export const evidenceSchema = z.strictObject({
  record: z.string().max(16_384).describe('canonical JSON of the event'),
  salt: base64urlSchema(43),
  leaf: z.string().max(1024).describe('leaf data, base64url'),
  position: z.int().min(0),
  size: z.int().min(1),
  path: z.array(base64urlSchema(43)).max(64),
  checkpoint: z.string().max(4096).describe('C2SP signed note'),
});
export type Evidence = z.infer<typeof evidenceSchema>;

/** `GET /internal/v1/messages/:message/evidence?after=&limit=`: of its entries after a position that a checkpoint covers. */
export const evidenceQuerySchema = z.strictObject({
  after: queryIntegerSchema(-1).default(-1).describe('position in the log'),
  limit: queryIntegerSchema(1, 100).default(100),
});
export const messageEvidenceSchema = z
  .strictObject({ message: messageIdSchema, evidence: z.array(evidenceSchema).max(100) })
  .meta({ id: 'MessageEvidence' });
export type MessageEvidence = z.infer<typeof messageEvidenceSchema>;

/** `GET /internal/v1/directory/:member`: the whole chain, oldest first; evidence is null until the event is sequenced. */
export const directoryAnswerSchema = z.strictObject({
  entries: z.array(z.strictObject({ entry: z.string(), evidence: evidenceSchema.nullable() })),
});
export type DirectoryAnswer = z.infer<typeof directoryAnswerSchema>;

/** `POST /internal/v1/key-packages/claim`: one package a device, used once; `null` where a device has none left. */
export const keyPackageClaimSchema = z
  .strictObject({ devices: z.array(deviceIdSchema).min(1).max(100) })
  .meta({ id: 'KeyPackageClaim' });
export const keyPackageClaimResultSchema = z.strictObject({
  packages: z.array(z.strictObject({ device: deviceIdSchema, keyPackage: base64urlSchema(40_000).nullable() })),
});

/** `POST /internal/v1/conversations`: idempotent for the same creator. */
export const conversationPostSchema = z
  .strictObject({ conversation: conversationIdSchema, creator: z.string().max(300).describe('certificate URI') })
  .meta({ id: 'ConversationPost' });
export const conversationStateSchema = z.strictObject({
  conversation: conversationIdSchema,
  epoch: z.int().min(0),
  devices: z.array(deviceIdSchema),
});

/**
 * `POST /internal/v1/conversations/:conversation/commits`: compare-and-set on the epoch. The winner's commit is queued
 * for every device already in, the welcome for those it adds. A repeat of the winning commit is answered 202 again;
 * any other gets 409 ERR_GROUPS_EPOCH and the current epoch.
 */
export const commitPostSchema = z
  .strictObject({
    epoch: z.int().min(0).describe('the epoch the commit was made in'),
    commit: mlsMessage,
    welcome: z
      .strictObject({ message: mlsMessage, ratchetTree: mlsMessage, devices: z.array(deviceIdSchema).min(1).max(100) })
      .nullable(),
    removed: z.array(deviceIdSchema).max(100),
  })
  .meta({ id: 'CommitPost' });

/** `GET /internal/v1/events?after=&limit=&wait=`: sequenced events in log order; waits up to `wait` ms for the next. */
export const eventsQuerySchema = z.strictObject({
  after: queryIntegerSchema(-1).default(-1),
  limit: queryIntegerSchema(1, 1000).default(100),
  wait: queryIntegerSchema(0, 30_000).default(0),
});
export const eventsAnswerSchema = z.strictObject({
  events: z.array(z.strictObject({ position: z.int().min(0), event: eventSchema })),
});

/** `GET /internal/v1/messages/:message/timeline` */
export const timelineSchema = z.strictObject({
  message: messageIdSchema,
  events: z.array(z.strictObject({ event: eventSchema, position: z.int().min(0).nullable() })),
});
export type Timeline = z.infer<typeof timelineSchema>;

/** `POST /internal/v1/messages/results`: what was accepted, confirmed by devices and ended, of many messages at once. */
export const resultsQuerySchema = z
  .strictObject({ messages: z.array(messageIdSchema).min(1).max(100) })
  .meta({ id: 'ResultsQuery' });
export const resultsAnswerSchema = z.strictObject({ events: z.array(eventSchema) });

export const memberParamsSchema = z.strictObject({ member: memberIdSchema });

/** `POST /internal/v1/log/cosignatures`: control's witness signature over a checkpoint it verified as consistent. */
export const cosignaturePostSchema = z
  .strictObject({ checkpoint: z.string().max(4096).describe('signed note with the witness line added') })
  .meta({ id: 'CosignaturePost' });

/** `GET /internal/v1/forms/needed?after=&limit=&wait=`: what steps wait for, oldest first; waits up to `wait` ms for one. */
export const formsNeededSchema = z.strictObject({ needed: z.array(formNeedSchema).max(1000) });

/** `POST /internal/v1/forms`; see `formPostSchema`. `over`: the step no longer waits, the form was not kept. */
export const formAnswerSchema = z.strictObject({ outcome: z.enum(['taken', 'already', 'over']) });

/** `POST /internal/v1/messages/:message/revoke`: nothing more is sent, and what can be taken back is. */
export const revokePostSchema = z
  .strictObject({ by: z.string().min(1).max(120).describe('who asked, as control names them; it goes into the log') })
  .meta({ id: 'RevokePost' });
export const revokeAnswerSchema = z.strictObject({
  outcome: z.enum(['done', 'already', 'ended']),
  /** What it ended as: `revoked`, unless it had ended before. */
  state: z.enum(['read', 'expired', 'undeliverable', 'revoked']),
});
export type RevokeAnswer = z.infer<typeof revokeAnswerSchema>;

/** `PUT /internal/v1/vendors/:vendor`: the kill switch. Closing needs nothing but its own record; see DESIGN section 8. */
export const vendorPutSchema = z
  .strictObject({ open: z.boolean(), by: keyIdSchema.describe('key of the approver') })
  .meta({ id: 'VendorPut' });
export const vendorPutAnswerSchema = z.strictObject({ outcome: z.enum(['done', 'already']) });
/** `GET /internal/v1/vendors`, and `GET /v1/vendors` of control. */
export const vendorStatesSchema = z
  .strictObject({
    vendors: z
      .array(
        z.strictObject({
          vendor: vendorNameSchema,
          adapter: z.enum(ADAPTERS),
          state: z.enum(['open', 'closed-by-operator', 'expired', 'failing', 'probing']),
          since: timestampSchema.nullable(),
        }),
      )
      .max(1000),
  })
  .meta({ id: 'VendorStates' });
export type VendorStates = z.infer<typeof vendorStatesSchema>;

/** `POST /internal/v1/routes/explain`: what routing would decide for this flow and person now, step by step. */
export const explainPostSchema = z
  .strictObject({ flow: flowNameSchema, recipient: memberIdSchema })
  .meta({ id: 'ExplainPost' });
export const explainAnswerSchema = z
  .strictObject({
    bundle: z.int().min(1),
    floor: protectionSchema,
    devices: z.int().min(0),
    steps: z
      .array(
        z.strictObject({
          step: z.int().min(0).max(15),
          channel: channelNameSchema,
          use: useSchema,
          /** Milliseconds after acceptance. */
          after: z.int().min(0),
          decision: z.enum(['taken', 'skipped', 'deferred', 'waiting']),
          reason: z.string().max(120),
          /** Of what could be chosen: which would be, and why each other one would not. */
          vendors: z.array(
            z.strictObject({
              vendor: vendorNameSchema,
              adapter: z.enum(ADAPTERS),
              protection: protectionSchema.nullable().describe('null: a notice holds no content'),
              chosen: z.boolean(),
              reason: z.string().max(120),
            }),
          ),
        }),
      )
      .max(16),
  })
  .meta({ id: 'ExplainAnswer' });
export type ExplainAnswer = z.infer<typeof explainAnswerSchema>;

/** `GET /internal/v1/inbound?after=&limit=&wait=`: sealed to control's inbound key, oldest first. */
export const inboundAnswerSchema = z.strictObject({
  inbound: z
    .array(
      z.strictObject({
        position: z.int().min(0),
        vendor: vendorNameSchema,
        received: timestampSchema,
        key: keyIdSchema,
        encapsulated: base64urlSchema(128),
        ciphertext: base64urlSchema(350_000),
      }),
    )
    .max(1000),
});
export type InboundAnswer = z.infer<typeof inboundAnswerSchema>;
/** `POST /internal/v1/inbound/acknowledge`: control has stored everything up to this position; the sealed bodies go. */
export const inboundAcknowledgeSchema = z.strictObject({ position: z.int().min(0) }).meta({ id: 'InboundAcknowledge' });
