/**
 * What Apple posts to an MSP's `/message` (Apple, "Messages Received"), compressed or not. Unknown members are ignored, every
 * one taken out is bounded.
 */
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { jsonOf, MAX_WEBHOOK_BYTES } from '../webhook-request.ts';

const id = z.string().min(1).max(128);
const identifier = z.string().max(2048);
const itemSchema = z.object({ identifier, title: z.string().max(300).nullish() });

const interactiveSchema = z.object({
  data: z.object({
    /** The message of ours it answers. */
    requestIdentifier: id.nullish(),
    'quick-reply': z
      .object({ selectedIdentifier: identifier, items: z.array(itemSchema).max(64).default([]) })
      .nullish(),
    listPicker: z
      .object({ sections: z.array(z.object({ items: z.array(itemSchema).max(64).default([]) })).max(16) })
      .nullish(),
  }),
});

const messageSchema = z.object({
  type: z.string().regex(/^[A-Za-z_-]{1,64}$/),
  id,
  /** The person, by the name Apple gave them for this business alone. */
  sourceId: z.string().min(1).max(1024),
  destinationId: id,
  body: z.string().max(200_000).nullish(),
  attachments: z
    .array(z.object({ name: z.string().max(300).nullish(), mimeType: z.string().max(120).nullish() }))
    .max(64)
    .nullish(),
  interactiveData: z.unknown().optional(),
});

export type BusinessMessage = z.infer<typeof messageSchema>;
export type Interaction = z.infer<typeof interactiveSchema>['data'];

/** `undefined` when the body is no message. */
export function parseMessage(body: Uint8Array): BusinessMessage | undefined {
  const plain = plainOf(body);
  return plain === undefined ? undefined : messageSchema.safeParse(jsonOf(plain)).data;
}

export function parseInteraction(value: unknown): Interaction | undefined {
  return interactiveSchema.safeParse(value).data?.data;
}

/** Known by its first two bytes (RFC 1952 section 2.3.1), with which no JSON begins; not unpacked beyond what is taken plain. */
function plainOf(body: Uint8Array): Uint8Array | undefined {
  if (body[0] !== 0x1f || body[1] !== 0x8b) return body;
  try {
    return new Uint8Array(gunzipSync(body, { maxOutputLength: MAX_WEBHOOK_BYTES }));
  } catch {
    return undefined;
  }
}
