/** What the simulator tells its page: the state of a moment, whole. What is not in this form is not shown. */
import { z } from 'zod';

const time = z.iso.datetime().transform((text) => Date.parse(text));

const shownMessageSchema = z.object({
  id: z.string(),
  channel: z.enum(['rcs', 'sms']),
  text: z.string(),
  url: z.string().optional(),
  at: time,
  status: z.enum(['delivered', 'read']),
});
export type ShownMessage = z.infer<typeof shownMessageSchema>;

const phoneSchema = z.object({
  number: z.string(),
  rcs: z.boolean(),
  online: z.boolean(),
  messages: z.array(shownMessageSchema),
  waiting: z.int(),
});
export type Phone = z.infer<typeof phoneSchema>;

const carrierSchema = z.enum(['rbm', 'smsc']);
export type Carrier = z.infer<typeof carrierSchema>;

const sentSchema = z.object({
  id: z.int(),
  carrier: carrierSchema,
  at: time,
  operation: z.string(),
  sender: z.string().optional(),
  address: z.string().optional(),
  text: z.string(),
  raw: z.string(),
  /** The status it was turned away with. */
  refused: z.int().optional(),
});
/** One request a provider was sent. */
export type Sent = z.infer<typeof sentSchema>;

const faultSchema = z.object({ kind: z.string() });

export const liveStateSchema = z.object({
  phones: z.array(phoneSchema),
  traffic: z.array(sentSchema),
  faults: z.object({ rbm: z.array(faultSchema), smsc: z.array(faultSchema) }),
});
export type LiveState = z.infer<typeof liveStateSchema>;

export function parseLiveState(text: string): LiveState | undefined {
  try {
    return liveStateSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
