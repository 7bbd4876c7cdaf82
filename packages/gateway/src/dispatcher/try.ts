/**
 * One try: open the carrier form, make sure it is what the attempt says and above the floor, hand it to the adapter, say
 * how it ended. The form exists in clear only here and only for this call.
 */
import type { Adapter } from '@sealpost/channels';
import { type DispatchKey, openCarrier } from '@sealpost/crypto/dispatch';
import { type AdapterName, meetsFloor, type Timestamp } from '@sealpost/protocol';
import type { Outcome } from '@sealpost/protocol/carriage';
import type { Attempt } from './claim-schema.ts';

/** A channel of the configuration: the adapter behind it, by name and in person. */
export interface Channel {
  readonly name: AdapterName;
  readonly adapter: Adapter;
}

export async function tryAttempt(
  attempt: Attempt,
  channels: ReadonlyMap<string, Channel>,
  key: DispatchKey,
  now: Timestamp,
): Promise<Outcome> {
  const { channel, part } = attempt;
  const configured = channels.get(channel);
  const refusal = refusalOf(attempt, configured, now);
  const repeatable = configured?.adapter.capabilities.idempotent === true && refusal === undefined;
  // What the earlier try did is unknown, and stays so unless the same try can be made again without a second effect.
  if (attempt.interrupted && !repeatable) return { kind: 'ambiguous', reason: 'interrupted' };
  if (refusal !== undefined || configured === undefined || part === undefined)
    return { kind: 'permanent', reason: refusal ?? 'withdrawn' };
  const { organisation, message, flow, use } = attempt;
  const opened = await openCarrier(part, key, { organisation, message, flow, channel, use });
  if (opened.kind === 'refused') return { kind: 'permanent', reason: `form-${opened.reason}` };
  const { address, payload, expires } = opened.carriage;
  if (payload.kind !== use) return { kind: 'permanent', reason: 'form-mismatch' };
  return configured.adapter.send({ id: attempt.id, address, payload, expires: Math.min(expires, attempt.expires) });
}

/** Why this try must not be made at all; `undefined` when it may. */
function refusalOf(attempt: Attempt, configured: Channel | undefined, now: Timestamp): string | undefined {
  if (attempt.part === undefined) return 'withdrawn';
  if (!meetsFloor(attempt.use, attempt.adapter, attempt.floor)) return 'ERR_ROUTING_BELOW_FLOOR';
  if (attempt.expires <= now) return 'expired';
  if (configured === undefined) return 'channel-not-configured';
  // The floor was checked for the adapter the bundle names; what is configured here must be that one.
  return configured.name === attempt.adapter ? undefined : 'channel-has-other-adapter';
}
