/**
 * Manifests: flows as code (DESIGN section 9). People write YAML objects of the kinds below; the compiler turns them into
 * one bundle, versioned and expiring, which an operator signs (JWS, `typ` below). Control and gateway run nothing else.
 */
import { z } from 'zod';
import { classificationSchema } from './envelope.ts';
import {
  agentIdSchema,
  channelNameSchema,
  flowNameSchema,
  organisationSchema,
  timestampSchema,
  type VendorName,
  vendorNameSchema,
} from './ids.ts';
import { ADAPTERS, type AdapterName, meetsFloor, type Protection, protectionSchema, useSchema } from './protection.ts';

export const BUNDLE_TYPE = 'sealpost-bundle+jwt';

const MULTIPLES = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
type Unit = keyof typeof MULTIPLES;

/** "30s", "2m", "4h", "90d" or "250ms", as milliseconds. */
export const durationSchema = z
  .string()
  .regex(/^[1-9][0-9]{0,5}(?:ms|s|m|h|d)$/, 'write a whole number and ms, s, m, h or d, for example 30s')
  .transform((text) => {
    const [, count = '', unit = 's'] = /^(\d+)(\D+)$/.exec(text) ?? [];
    return Number(count) * MULTIPLES[unit as Unit];
  });

const metadata = <Name extends z.ZodType>(name: Name) => z.strictObject({ name, owner: z.email().optional() });
const header = { apiVersion: z.literal('sealpost/v1') };

/** At most `count` sends in any stretch of `per`. */
export const limitManifestSchema = z.strictObject({ count: z.int().min(1).max(1_000_000), per: durationSchema });
const limitSchema = z.strictObject({ count: z.int().min(1).max(1_000_000), per: z.int().min(1) });
export type Limit = z.infer<typeof limitSchema>;

export const agentManifestSchema = z.strictObject({
  ...header,
  kind: z.literal('Agent'),
  metadata: metadata(agentIdSchema),
  spec: z.strictObject({ displayName: z.string().min(1).max(100), limit: limitManifestSchema.optional() }),
});

export const channelManifestSchema = z.strictObject({
  ...header,
  kind: z.literal('Channel'),
  metadata: metadata(channelNameSchema),
  spec: z.union([
    /** One provider account, under the channel's own name. */
    z.strictObject({ adapter: z.enum(ADAPTERS) }),
    z.strictObject({
      vendors: z
        .array(z.strictObject({ vendor: vendorNameSchema, weight: z.int().min(0).max(1000).default(1) }))
        .min(1)
        .max(8),
    }),
  ]),
});

/** A provider account: what speaks to it, until when it may be used, how much it takes. Credentials are the dispatcher's. */
export const vendorManifestSchema = z.strictObject({
  ...header,
  kind: z.literal('Vendor'),
  metadata: metadata(vendorNameSchema),
  spec: z.strictObject({
    adapter: z.enum(ADAPTERS),
    /** Contract, certificate or sender registration ends: from then on no route goes here. */
    expires: z.iso.datetime({ offset: true }).optional(),
    limit: limitManifestSchema.optional(),
  }),
});

/** Opens a channel to a share of recipients, by recipient and always the same ones; without one it is open to all. */
export const rolloutManifestSchema = z.strictObject({
  ...header,
  kind: z.literal('Rollout'),
  metadata: metadata(channelNameSchema),
  spec: z.strictObject({
    channel: channelNameSchema,
    /** Of all flows, or of these alone. */
    flows: z.array(flowNameSchema).min(1).max(100).optional(),
    percent: z.number().min(0).max(100),
  }),
});

const clock = z.string().regex(/^(?:[01][0-9]|2[0-3]):[0-5][0-9]$/, 'write hours and minutes, for example 22:00');
/** From the one to the other, over midnight where it must be, nothing but `app` is used; steps wait for the end. */
export const quietHoursSchema = z.strictObject({
  from: clock,
  until: clock,
  zone: z
    .string()
    .max(64)
    .refine((zone) => Intl.supportedValuesOf('timeZone').includes(zone) || zone === 'UTC', 'use an IANA time zone'),
});
export type QuietHours = z.infer<typeof quietHoursSchema>;

export const AMBIGUOUS_POLICIES = ['at-most-once', 'at-least-once'] as const;

export const INSPECTION_DETECTORS = ['private-key', 'cloud-credential', 'payment-card', 'pattern'] as const;
export const inspectionManifestSchema = z.strictObject({
  ...header,
  kind: z.literal('Inspection'),
  metadata: metadata(flowNameSchema),
  spec: z.strictObject({
    rules: z
      .array(
        z.strictObject({
          id: z.string().regex(/^[a-z0-9-]{1,63}$/),
          detect: z.enum(INSPECTION_DETECTORS),
          /** Only with `detect: pattern`: literal text, matched without regard to case. */
          literal: z.string().min(3).max(200).optional(),
          action: z.enum(['block', 'redact', 'raise']),
          /** Only with `action: raise`. */
          raiseTo: classificationSchema.optional(),
        }),
      )
      .min(1)
      .max(100),
  }),
});

export const ladderStepSchema = z.strictObject({
  channel: channelNameSchema,
  use: useSchema,
  after: durationSchema.optional(),
});

export const linkPolicySchema = z.strictObject({
  /** Annotations whose value is fetched and attached. */
  annotations: z.array(z.string().min(1).max(100)).min(1).max(10),
  hosts: z
    .array(
      z.strictObject({
        host: z.string().min(1).max(253),
        port: z.int().min(1).max(65535).optional(),
        private: z.boolean().default(false),
      }),
    )
    .min(1)
    .max(50),
  types: z.array(z.enum(['image/png', 'image/jpeg', 'application/pdf'])).min(1),
  maxBytes: z.int().min(1).max(20_000_000),
  timeout: durationSchema,
  maxRedirects: z.int().min(0).max(5).default(0),
});

export const flowManifestSchema = z.strictObject({
  ...header,
  kind: z.literal('Flow'),
  metadata: metadata(flowNameSchema),
  spec: z.strictObject({
    purpose: z.string().min(1).max(300),
    agent: agentIdSchema,
    classification: classificationSchema,
    floor: protectionSchema,
    ladder: z.array(ladderStepSchema).min(1).max(16),
    /** What a notice says and where it leads; the same for every message of the flow, so it can hold no content. */
    notice: z
      .strictObject({ text: z.string().min(1).max(300), url: z.url({ protocol: /^https?$/ }).max(2048) })
      .optional(),
    inspection: flowNameSchema.optional(),
    links: linkPolicySchema.optional(),
    quiet: quietHoursSchema.optional(),
    /** What to do when nobody can say whether a provider took a message: codes must not go twice, incidents must arrive. */
    ambiguous: z.enum(AMBIGUOUS_POLICIES).default('at-most-once'),
    /** For each recipient, over all channels but `app`. */
    limit: limitManifestSchema.optional(),
    expires: durationSchema,
  }),
});

export const manifestSchema = z.discriminatedUnion('kind', [
  agentManifestSchema,
  channelManifestSchema,
  vendorManifestSchema,
  rolloutManifestSchema,
  inspectionManifestSchema,
  flowManifestSchema,
]);
export type Manifest = z.infer<typeof manifestSchema>;
export type AgentManifest = z.infer<typeof agentManifestSchema>;
export type ChannelManifest = z.infer<typeof channelManifestSchema>;
export type VendorManifest = z.infer<typeof vendorManifestSchema>;
export type RolloutManifest = z.infer<typeof rolloutManifestSchema>;
export type InspectionManifest = z.infer<typeof inspectionManifestSchema>;
export type FlowManifest = z.infer<typeof flowManifestSchema>;
export type LinkPolicy = z.infer<typeof linkPolicySchema>;

/** The compiled form: durations in milliseconds, references resolved, floors checked. */
export const bundleSchema = z.strictObject({
  v: z.literal(1),
  organisation: organisationSchema,
  version: z.int().min(1),
  issued: timestampSchema,
  expires: timestampSchema,
  agents: z
    .array(
      z.strictObject({ name: agentIdSchema, displayName: z.string().min(1).max(100), limit: limitSchema.optional() }),
    )
    .max(1000),
  /** Provider accounts that say more than their adapter. */
  vendors: z
    .array(
      z.strictObject({
        name: vendorNameSchema,
        adapter: z.enum(ADAPTERS),
        expires: timestampSchema.optional(),
        limit: limitSchema.optional(),
      }),
    )
    .max(1000)
    .optional(),
  rollouts: z
    .array(
      z.strictObject({
        name: channelNameSchema,
        channel: channelNameSchema,
        flows: z.array(flowNameSchema).optional(),
        percent: z.number().min(0).max(100),
      }),
    )
    .max(1000)
    .optional(),
  flows: z
    .array(
      z.strictObject({
        name: flowNameSchema,
        purpose: z.string(),
        agent: agentIdSchema,
        classification: classificationSchema,
        floor: protectionSchema,
        ladder: z
          .array(
            z.strictObject({
              channel: channelNameSchema,
              /** Of the first vendor; see `vendorsOf`. */
              adapter: z.enum(ADAPTERS),
              vendors: z
                .array(
                  z.strictObject({
                    vendor: vendorNameSchema,
                    adapter: z.enum(ADAPTERS),
                    weight: z.int().min(0).max(1000),
                  }),
                )
                .min(1)
                .max(8)
                .optional(),
              use: useSchema,
              after: z.int().min(0),
            }),
          )
          .min(1)
          .max(16),
        notice: z.strictObject({ text: z.string(), url: z.string() }).optional(),
        inspection: z.array(inspectionManifestSchema.shape.spec.shape.rules.element).max(100),
        links: z
          .strictObject({
            ...linkPolicySchema.shape,
            timeout: z.int().min(1),
            hosts: z.array(z.strictObject({ host: z.string(), port: z.int().optional(), private: z.boolean() })),
            maxRedirects: z.int(),
          })
          .optional(),
        quiet: quietHoursSchema.optional(),
        ambiguous: z.enum(AMBIGUOUS_POLICIES).optional(),
        limit: limitSchema.optional(),
        expires: z.int().min(1000),
      }),
    )
    .min(1)
    .max(10_000),
  /** Cedar policies by file name, in the text they were written. */
  policies: z.array(z.strictObject({ name: z.string().max(200), text: z.string().max(200_000) })).max(500),
});
export type Bundle = z.infer<typeof bundleSchema>;
export type CompiledFlow = Bundle['flows'][number];
export type LadderStep = CompiledFlow['ladder'][number];
export type InspectionRule = CompiledFlow['inspection'][number];

export interface RungVendor {
  readonly vendor: VendorName;
  readonly adapter: AdapterName;
  readonly weight: number;
}

/** The provider accounts behind a step. Bundles of before there were vendors have one, named as the channel. */
export function vendorsOf({ channel, adapter, vendors }: LadderStep): readonly RungVendor[] {
  return vendors ?? [{ vendor: vendorNameSchema.parse(channel), adapter, weight: 1 }];
}

/** Whether every vendor a step may use protects content as the floor demands, and the step says so of its first. */
export function rungMeetsFloor(rung: LadderStep, floor: Protection): boolean {
  const vendors = vendorsOf(rung);
  return vendors[0]?.adapter === rung.adapter && vendors.every(({ adapter }) => meetsFloor(rung.use, adapter, floor));
}
