/** A row of the table attempt, as the gateway wrote it, parsed before anything is opened or sent. */
import {
  ADAPTERS,
  type AttemptId,
  attemptIdSchema,
  type CarrierPart,
  carrierPartSchema,
  flowNameSchema,
  type MessageId,
  messageIdSchema,
  organisationSchema,
  protectionSchema,
  useSchema,
} from '@sealpost/protocol';
import { z } from 'zod';

export interface AttemptRow {
  readonly id: string;
  readonly part: string;
  readonly epoch: number;
  readonly interrupted: boolean;
}

const rowSchema = z.object({
  id: attemptIdSchema,
  message: messageIdSchema,
  organisation: organisationSchema,
  flow: flowNameSchema,
  floor: protectionSchema,
  adapter: z.enum(ADAPTERS),
  use: useSchema,
  expires: z.int(),
});

export type Claimed = z.output<typeof rowSchema> & {
  readonly part: CarrierPart;
  readonly epoch: number;
  /** An earlier try was never reported. */
  readonly interrupted: boolean;
};
export type { AttemptId, MessageId };

export function claimedOf(row: AttemptRow): Claimed {
  const part = carrierPartSchema.parse(JSON.parse(row.part));
  return { ...rowSchema.parse(row), part, epoch: row.epoch, interrupted: row.interrupted };
}
