/**
 * One try: open the carrier form, make sure it is what the attempt says and above the floor, hand it to the adapter, say
 * how it ended. The form exists in clear only here and only for this call.
 */
import type { Adapter } from '@sealpost/channels';
import { type DispatchKey, openCarrier } from '@sealpost/crypto/dispatch';
import { meetsFloor, type Timestamp } from '@sealpost/protocol';
import type { Outcome } from '@sealpost/protocol/carriage';
import type { Claimed } from './claim-schema.ts';

export async function tryAttempt(
  attempt: Claimed,
  adapters: ReadonlyMap<string, Adapter>,
  key: DispatchKey,
  now: Timestamp,
): Promise<Outcome> {
  const { channel } = attempt.part;
  if (!meetsFloor(attempt.use, attempt.adapter, attempt.floor))
    return { kind: 'permanent', reason: 'ERR_ROUTING_BELOW_FLOOR' };
  if (attempt.expires <= now) return { kind: 'permanent', reason: 'expired' };
  const adapter = adapters.get(channel);
  if (adapter === undefined) return { kind: 'permanent', reason: 'channel-not-configured' };
  if (attempt.interrupted && !adapter.capabilities.idempotent) return { kind: 'ambiguous', reason: 'interrupted' };
  const opened = await openCarrier(attempt.part, key, {
    organisation: attempt.organisation,
    message: attempt.message,
    flow: attempt.flow,
    channel,
    use: attempt.use,
  });
  if (opened.kind === 'refused') return { kind: 'permanent', reason: `form-${opened.reason}` };
  const { address, payload, message, expires } = opened.carriage;
  if (message !== attempt.message || opened.carriage.channel !== channel || payload.kind !== attempt.use)
    return { kind: 'permanent', reason: 'form-mismatch' };
  return adapter.send({ id: attempt.id, address, payload, expires: Math.min(expires, attempt.expires) });
}
