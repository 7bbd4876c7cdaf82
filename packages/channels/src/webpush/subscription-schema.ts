/**
 * The address of a browser: its subscription, as `PushSubscription.toJSON()` writes it (Push API section 8.1). The keys have
 * exactly the lengths of RFC 8291 section 3: one that has not would fail while encrypting.
 */
import { z } from 'zod';
import { jsonOf } from '../webhook-request.ts';

const subscriptionSchema = z.object({
  endpoint: z.url({ protocol: /^https?$/ }).max(2048),
  keys: z.object({
    p256dh: z.string().regex(/^B[A-Za-z0-9_-]{86}=?$/),
    auth: z.string().regex(/^[A-Za-z0-9_-]{22}(==)?$/),
  }),
});

export type Subscription = z.infer<typeof subscriptionSchema>;

/** `undefined` for what no browser wrote, and for an endpoint without TLS unless that is allowed. */
export function parseSubscription(address: string, plaintext: boolean): Subscription | undefined {
  const subscription = subscriptionSchema.safeParse(jsonOf(address)).data;
  if (subscription === undefined) return undefined;
  return plaintext || subscription.endpoint.startsWith('https:') ? subscription : undefined;
}
