/** A row of the table attempt, as the gateway wrote it, parsed before anything is opened, asked or sent. */
import {
  ADAPTERS,
  attemptIdSchema,
  type CarrierPart,
  carrierPartSchema,
  channelNameSchema,
  flowNameSchema,
  messageIdSchema,
  organisationSchema,
  protectionSchema,
  useSchema,
  vendorNameSchema,
} from '@sealpost/protocol';
import { z } from 'zod';

export interface AttemptRow {
  readonly id: string;
  readonly task: string;
  readonly part: string | null;
  readonly epoch: number;
  readonly interrupted: boolean;
}

/** At most `count` sends in any `per` milliseconds, of everything under this key, on all nodes together. */
const boundSchema = z.strictObject({
  key: z.string().min(1).max(300),
  count: z.int().min(1).max(1_000_000),
  per: z.int().min(1),
});
export type Bound = z.infer<typeof boundSchema>;

const boundsSchema = z
  .string()
  .max(4096)
  .transform((text) => parseJson(text))
  .pipe(z.array(boundSchema).max(8));

const rowSchema = z.object({
  id: attemptIdSchema,
  message: messageIdSchema,
  organisation: organisationSchema,
  flow: flowNameSchema,
  floor: protectionSchema,
  channel: channelNameSchema,
  vendor: vendorNameSchema,
  adapter: z.enum(ADAPTERS),
  use: useSchema,
  expires: z.int(),
  task: z.enum(['send', 'query', 'revoke']),
  /** Empty in rows of before there were vendors; nothing is remembered of such a person. */
  recipient: z.string().max(300),
  limits: boundsSchema,
  provider_id: z.string().min(1).max(256).nullable(),
});

/** A lease on one try: what a report must name to count. */
export interface Lease {
  readonly id: string;
  readonly epoch: number;
}

export type Attempt = z.output<typeof rowSchema> & {
  /** `undefined` when the try was withdrawn: it is reported and not made. */
  readonly part: CarrierPart | undefined;
  /** An earlier try was never reported. */
  readonly interrupted: boolean;
};

export interface Claimed {
  readonly lease: Lease;
  /** What the row asks for, in whatever form the rest of it is. */
  readonly task: string;
  /** `undefined` when the row is in no form this dispatcher knows. */
  readonly attempt: Attempt | undefined;
}

export function claimedOf(row: AttemptRow): Claimed {
  return { lease: { id: row.id, epoch: row.epoch }, task: row.task, attempt: attemptOf(row) };
}

function attemptOf(row: AttemptRow): Attempt | undefined {
  const fields = rowSchema.safeParse(row);
  if (!fields.success) return undefined;
  const known = { ...fields.data, interrupted: row.interrupted };
  if (row.part === null) return { ...known, part: undefined };
  const part = carrierPartSchema.safeParse(parseJson(row.part));
  return part.success ? { ...known, part: part.data } : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
