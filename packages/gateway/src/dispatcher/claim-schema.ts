/** A row of the table attempt, as the gateway wrote it, parsed before anything is opened or sent. */
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
} from '@sealpost/protocol';
import { z } from 'zod';

export interface AttemptRow {
  readonly id: string;
  readonly part: string | null;
  readonly epoch: number;
  readonly interrupted: boolean;
}

const rowSchema = z.object({
  id: attemptIdSchema,
  message: messageIdSchema,
  organisation: organisationSchema,
  flow: flowNameSchema,
  floor: protectionSchema,
  channel: channelNameSchema,
  adapter: z.enum(ADAPTERS),
  use: useSchema,
  expires: z.int(),
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
  /** `undefined` when the row is in no form this dispatcher knows. */
  readonly attempt: Attempt | undefined;
}

export function claimedOf(row: AttemptRow): Claimed {
  return { lease: { id: row.id, epoch: row.epoch }, attempt: attemptOf(row) };
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
