/** Effects of a decision, carried out in the transaction that appends its events: both happen or neither does. */
import type { Sql } from '@sealpost/platform';
import {
  type Bundle,
  type CarrierPart,
  type CompiledFlow,
  canonicalBytes,
  canonicalJson,
  type Envelope,
  type MessageId,
} from '@sealpost/protocol';
import type { Groups } from '../groups/index.ts';
import { limitsOf } from '../routing/index.ts';
import { deliveryError } from './delivery-errors.ts';
import type { DeviceId, Effect } from './types.ts';

const NAMES_KEPT = 7 * 86_400_000;

export interface EffectContext {
  readonly groups: Pick<Groups, 'enqueue' | 'unqueue'>;
  readonly lane: number;
  readonly message: MessageId;
  readonly envelope: Envelope;
  readonly flow: CompiledFlow;
  /** The one that runs now; limits are its. */
  readonly bundle: Bundle | undefined;
  /** Of the conversation. */
  readonly devices: readonly DeviceId[];
}

const ADD_TIMER = 'INSERT INTO timer (lane, message, kind, step, due) VALUES ($1, $2, $3, $4, $5)';

const ADD_ATTEMPT = `
INSERT INTO attempt (id, lane, message, step, organisation, flow, floor, channel, vendor, adapter, use, try, part, expires,
  available_at, sender, recipient, limits)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
ON CONFLICT (id) DO UPDATE SET floor = EXCLUDED.floor, vendor = EXCLUDED.vendor, adapter = EXCLUDED.adapter, limits = EXCLUDED.limits,
  try = EXCLUDED.try, available_at = EXCLUDED.available_at, done = false, lease_owner = NULL, lease_until = 0`;

const ADD_NAME = `
INSERT INTO provider_message (vendor, provider_id, attempt, lane, message, expires) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING`;

/** Providers use their ids again after a while, so the newest holder has it; the ids we chose ourselves stay ours. */
const TAKE_NAME = `
INSERT INTO provider_message (vendor, provider_id, attempt, lane, message, expires) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (vendor, provider_id) DO UPDATE SET attempt = EXCLUDED.attempt, lane = EXCLUDED.lane,
  message = EXCLUDED.message, expires = EXCLUDED.expires
WHERE provider_message.provider_id <> provider_message.attempt::text`;

const END_TIMERS = 'DELETE FROM timer WHERE message = $1';
/** Tries under way keep their row until they are reported, so that the timeline says how they ended. */
const END_ATTEMPTS =
  "DELETE FROM attempt WHERE message = $1 AND lease_owner IS NULL AND kept IS NULL AND task <> 'revoke'";
/** After END_ATTEMPTS, never before: a row leased between the two is caught here. */
const STRIP_ATTEMPTS = "UPDATE attempt SET part = NULL WHERE message = $1 AND task <> 'revoke'";
/** What waits is claimed and reported as withdrawn; what was done already is not claimed, and its report is on its way. */
const KEEP = "UPDATE attempt SET kept = COALESCE(part, ''), part = NULL, available_at = 0 WHERE id = ANY($1::uuid[])";
const TAKE_BACK = `
UPDATE attempt SET task = 'revoke', part = COALESCE(NULLIF(kept, ''), part), kept = NULL, done = false, available_at = $2, lease_until = 0
WHERE id = $1 AND lease_owner IS NULL`;
const LET_GO = 'DELETE FROM attempt WHERE message = $1 AND lease_owner IS NULL';
/** After LET_GO, never before. */
const STRIP_KEPT = 'UPDATE attempt SET part = NULL, kept = NULL WHERE message = $1';
const NOTE_NAME = 'UPDATE attempt SET provider_id = $2 WHERE id = $1';
const WITHDRAW = 'UPDATE attempt SET part = NULL, available_at = 0 WHERE message = $1 AND NOT done';
const FORGET = 'DELETE FROM attempt WHERE id = $1 AND lease_owner IS NULL';
/** Canonical JSON again, without the forms only the dispatcher could open (DESIGN section 4). */
const STRIP_CARRIERS = 'UPDATE envelope SET body = $2 WHERE message = $1';

export async function carryOut(tx: Sql, effect: Effect, context: EffectContext): Promise<void> {
  const { lane, message, envelope } = context;
  switch (effect.kind) {
    case 'fan-out':
      return context.groups.enqueue(tx, context.devices, {
        kind: 'envelope',
        conversation: effect.conversation,
        message,
        blobs: envelope.blobs,
      });
    case 'timer':
      await tx.query('delivery-timer', ADD_TIMER, [lane, message, effect.timer, effect.step, effect.due]);
      return;
    case 'attempt':
      return addAttempt(tx, effect, context);
    case 'named':
      await tx.query('delivery-note-name', NOTE_NAME, [effect.attempt, effect.providerMessageId]);
      if (effect.providerMessageId !== effect.attempt)
        await tx.query('delivery-take-name', TAKE_NAME, nameRow(effect, effect.providerMessageId, context));
      return;
    case 'withdraw':
      await tx.query('delivery-withdraw', WITHDRAW, [message]);
      return;
    case 'unqueue':
      return context.groups.unqueue(tx, message);
    case 'keep':
      await tx.query('delivery-keep', KEEP, [effect.attempts]);
      return;
    case 'take-back':
      await tx.query('delivery-take-back', TAKE_BACK, [effect.attempt, effect.availableAt]);
      return;
    case 'let-go':
      await tx.query('delivery-end-timers', END_TIMERS, [message]);
      await tx.query('delivery-let-go', LET_GO, [message]);
      await tx.query('delivery-strip-kept', STRIP_KEPT, [message]);
      return;
    case 'forget':
      await tx.query('delivery-forget', FORGET, [effect.attempt]);
      return;
    case 'finish':
      await tx.query('delivery-end-timers', END_TIMERS, [message]);
      await tx.query('delivery-end-attempts', END_ATTEMPTS, [message]);
      await tx.query('delivery-strip-attempts', STRIP_ATTEMPTS, [message]);
      await tx.query('delivery-strip', STRIP_CARRIERS, [
        message,
        canonicalBytes({ ...envelope, parts: envelope.parts.filter(({ form }) => form === 'device') }),
      ]);
  }
}

async function addAttempt(
  tx: Sql,
  effect: Extract<Effect, { kind: 'attempt' }>,
  context: EffectContext,
): Promise<void> {
  const { lane, message, envelope, flow } = context;
  const rung = flow.ladder[effect.step];
  const part = rung === undefined ? undefined : carrierFor(envelope, rung.channel);
  if (rung === undefined || part === undefined) throw deliveryError('ERR_DELIVERY_FORM');
  const row = [
    effect.attempt,
    lane,
    message,
    effect.step,
    envelope.organisation,
    envelope.flow,
    effect.floor,
    rung.channel,
    effect.vendor.vendor,
    effect.vendor.adapter,
    rung.use,
    effect.try,
    canonicalJson(part),
    envelope.expires,
    effect.availableAt,
  ];
  const { vendor } = effect.vendor;
  const { sender, recipient } = envelope;
  const limits = limitsOf({ vendor, sender, recipient, flow }, context.bundle);
  await tx.query('delivery-attempt', ADD_ATTEMPT, [...row, sender, recipient, limits]);
  // Some providers speak of a message by the id we chose, perhaps before we have heard that they took it.
  const named = { attempt: effect.attempt, vendor };
  await tx.query('delivery-name', ADD_NAME, nameRow(named, effect.attempt, context));
}

/** Receipts of a message may come for a while after it has expired. */
function nameRow(
  { attempt, vendor }: { readonly attempt: string; readonly vendor: string },
  name: string,
  { lane, message, envelope }: EffectContext,
): unknown[] {
  return [vendor, name, attempt, lane, message, envelope.expires + NAMES_KEPT];
}

function carrierFor(envelope: Envelope, channel: string): CarrierPart | undefined {
  return envelope.parts.find((part): part is CarrierPart => part.form === 'carrier' && part.channel === channel);
}
