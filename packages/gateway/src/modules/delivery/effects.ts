/** Effects of a decision, carried out in the transaction that appends its events: both happen or neither does. */
import type { Sql } from '@sealpost/platform';
import {
  type CarrierPart,
  type CompiledFlow,
  canonicalBytes,
  canonicalJson,
  type Envelope,
  type MessageId,
} from '@sealpost/protocol';
import type { Groups } from '../groups/index.ts';
import type { Effect } from './types.ts';

export interface EffectContext {
  readonly groups: Pick<Groups, 'devices' | 'enqueue'>;
  readonly lane: number;
  readonly message: MessageId;
  readonly envelope: Envelope;
  readonly flow: CompiledFlow;
}

const ADD_TIMER = 'INSERT INTO timer (lane, message, kind, step, due) VALUES ($1, $2, $3, $4, $5)';

const ADD_ATTEMPT = `
INSERT INTO attempt (id, lane, message, step, organisation, flow, floor, channel, adapter, use, try, part, expires, available_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
ON CONFLICT (id) DO UPDATE SET try = EXCLUDED.try, available_at = EXCLUDED.available_at, done = false,
  lease_owner = NULL, lease_until = 0`;

const ADD_NAME = `
INSERT INTO provider_message (channel, provider_id, attempt, lane, message, expires) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING`;

const END_TIMERS = 'DELETE FROM timer WHERE message = $1';
const END_ATTEMPTS = 'DELETE FROM attempt WHERE message = $1';
/** Canonical JSON again, without the forms only the dispatcher could open (DESIGN section 4). */
const STRIP_CARRIERS = 'UPDATE envelope SET body = $2 WHERE message = $1';

export async function carryOut(tx: Sql, effect: Effect, context: EffectContext): Promise<void> {
  const { lane, message, envelope } = context;
  switch (effect.kind) {
    case 'fan-out':
      return context.groups.enqueue(tx, await context.groups.devices(tx, effect.conversation), {
        kind: 'envelope',
        conversation: effect.conversation,
        message,
      });
    case 'timer':
      await tx.query('delivery-timer', ADD_TIMER, [lane, message, effect.timer, effect.step, effect.due]);
      return;
    case 'attempt':
      return addAttempt(tx, effect, context);
    case 'named':
      return addName(tx, effect.attempt, effect.providerMessageId, context);
    case 'finish':
      await tx.query('delivery-end-timers', END_TIMERS, [message]);
      await tx.query('delivery-end-attempts', END_ATTEMPTS, [message]);
      await tx.query('delivery-strip', STRIP_CARRIERS, [
        message,
        canonicalBytes({ ...envelope, parts: envelope.parts.filter(({ form }) => form === 'device') }),
      ]);
  }
}

async function addAttempt(
  tx: Sql,
  effect: Extract<Effect, { kind: 'attempt' }>,
  { lane, message, envelope, flow }: EffectContext,
): Promise<void> {
  const rung = flow.ladder[effect.step];
  const part = rung === undefined ? undefined : carrierFor(envelope, rung.channel);
  if (rung === undefined || part === undefined) return;
  const row = [
    effect.attempt,
    lane,
    message,
    effect.step,
    envelope.organisation,
    envelope.flow,
    envelope.floor,
    rung.channel,
    rung.adapter,
    rung.use,
    effect.try,
  ];
  await tx.query('delivery-attempt', ADD_ATTEMPT, [...row, canonicalJson(part), envelope.expires, effect.availableAt]);
  // Some providers speak of a message by the id we chose, perhaps before we have heard that they took it.
  await tx.query('delivery-name', ADD_NAME, [
    rung.channel,
    effect.attempt,
    effect.attempt,
    lane,
    message,
    nameExpiry(envelope),
  ]);
}

async function addName(
  tx: Sql,
  attempt: string,
  providerMessageId: string,
  { lane, message, envelope }: EffectContext,
): Promise<void> {
  const [row] = await tx.query<{ channel: string }>(
    'delivery-channel-of',
    'SELECT channel FROM provider_message WHERE attempt = $1 LIMIT 1',
    [attempt],
  );
  if (row === undefined) return;
  for (const name of spellings(providerMessageId))
    await tx.query('delivery-name', ADD_NAME, [row.channel, name, attempt, lane, message, nameExpiry(envelope)]);
}

/** Receipts of a message may come for a while after it has expired. */
function nameExpiry(envelope: Envelope): number {
  return envelope.expires + 7 * 86_400_000;
}

/** A provider's id is kept as it was spelled and in lower case; adapters list every spelling a receipt may use. */
function spellings(id: string): string[] {
  return [...new Set([id, id.toLowerCase()])];
}

export function carrierFor(envelope: Envelope, channel: string): CarrierPart | undefined {
  return envelope.parts.find((part): part is CarrierPart => part.form === 'carrier' && part.channel === channel);
}
