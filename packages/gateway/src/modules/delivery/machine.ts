/**
 * The delivery state machine: pure. Given what is known and one input it answers the events to append and the effects to
 * carry out in the same transaction. Every input may come twice, late or out of order; then it changes nothing.
 */
import { type AdapterName, meetsFloor } from '@sealpost/protocol';
import type { Outcome } from '@sealpost/protocol/carriage';
import { decideStep } from '../routing/index.ts';
import { type AttemptState, applyEvent, type DeliveryState } from './state.ts';
import type { Decision, Effect, EventOf, Input, LogEvent, Surroundings } from './types.ts';

/** A provider that repeats a send under the same attempt id without a second effect: `ambiguous` may be tried again. */
const IDEMPOTENT: Readonly<Record<AdapterName, boolean>> = { app: true, 'rcs-google': true, 'sms-smpp': false };
const FIRST_BACKOFF = 1_000;
const LONGEST_BACKOFF = 60_000;
/** Once one of these is the outcome, the step will not succeed and the next may begin at once. */
const GIVES_UP: ReadonlySet<Outcome['kind']> = new Set(['downgrade', 'permanent', 'auth-broken', 'security-stop']);

interface Draft {
  state: DeliveryState;
  readonly events: LogEvent[];
  readonly effects: Effect[];
}

export function decide(before: DeliveryState, input: Input, around: Surroundings): Decision {
  const draft: Draft = { state: before, events: [], effects: [] };
  switch (input.kind) {
    case 'accepted':
      onAccepted(draft, around);
      break;
    case 'step-due':
      takeStep(draft, input.step, around);
      break;
    case 'expiry-due':
      onExpiry(draft, around);
      break;
    case 'outcome':
      onOutcome(draft, input, around);
      break;
    case 'provider-receipt':
      onProviderReceipt(draft, input, around);
      break;
    case 'device-receipt':
      onDeviceReceipt(draft, input, around);
      break;
  }
  return { events: draft.events, effects: draft.effects };
}

function add(draft: Draft, event: LogEvent): void {
  draft.events.push(event);
  draft.state = applyEvent(draft.state, event) ?? draft.state;
}

/** Steps that are due now are taken; the others get their timers, and the message its expiry. */
function onAccepted(draft: Draft, around: Surroundings): void {
  if (draft.state.decided.size > 0 || draft.state.ended !== undefined) return;
  const { accepted } = draft.state;
  if (around.devices === 0) {
    end(draft, 'undeliverable', 'no-device', around);
    return;
  }
  draft.effects.push({ kind: 'timer', timer: 'expiry', step: null, due: accepted.expires });
  for (const [step, { after }] of around.flow.ladder.entries()) {
    const due = accepted.at + after;
    // What is due at acceptance is taken whatever this node's clock says of it: by a timer it would be overtaken by a later
    // message that another clock accepted, and a conversation would lose its order.
    if (after === 0 || due <= around.now) takeStep(draft, step, around);
    else draft.effects.push({ kind: 'timer', timer: 'step', step, due });
  }
}

function takeStep(draft: Draft, step: number, around: Surroundings): void {
  const { state } = draft;
  const rung = around.flow.ladder[step];
  if (rung === undefined || state.decided.has(step) || state.ended !== undefined) return;
  const facts = {
    floor: state.accepted.floor,
    deliveredToDevice: deliveredToDevice(state),
    noticeDelivered: [...state.attempts.values()].some(
      ({ receipts }) => receipts.has('delivered') || receipts.has('read'),
    ),
    expired: around.now >= state.accepted.expires,
    devices: around.devices,
    forms: around.forms,
  };
  const { kind: decision, reason } = decideStep(rung, facts);
  add(draft, {
    v: 1,
    kind: 'route.step',
    at: around.now,
    message: around.message,
    step,
    channel: rung.channel,
    adapter: rung.adapter,
    use: rung.use,
    decision,
    reason,
  });
  if (decision === 'skipped') return;
  if (rung.adapter === 'app') draft.effects.push({ kind: 'fan-out', conversation: state.accepted.conversation });
  else startTry(draft, { attempt: around.attemptId(), step, tries: 0, availableAt: around.now }, around);
}

function startTry(
  draft: Draft,
  next: { attempt: EventOf<'attempt.started'>['attempt']; step: number; tries: number; availableAt: number },
  around: Surroundings,
): void {
  const rung = around.flow.ladder[next.step];
  // The same question once more, right before anything could leave: a floor is not a matter of one check.
  if (rung === undefined || !meetsFloor(rung.use, rung.adapter, draft.state.accepted.floor)) return;
  add(draft, {
    v: 1,
    kind: 'attempt.started',
    at: around.now,
    message: around.message,
    step: next.step,
    attempt: next.attempt,
    channel: rung.channel,
    try: next.tries + 1,
  });
  draft.effects.push({
    kind: 'attempt',
    attempt: next.attempt,
    step: next.step,
    try: next.tries + 1,
    availableAt: next.availableAt,
  });
}

function onOutcome(
  draft: Draft,
  { attempt: id, outcome }: Extract<Input, { kind: 'outcome' }>,
  around: Surroundings,
): void {
  const attempt = draft.state.attempts.get(id);
  if (attempt === undefined || attempt.outcome !== undefined) return;
  const reason = outcome.kind === 'accepted' ? 'accepted' : outcome.reason;
  add(draft, {
    v: 1,
    kind: 'attempt.ended',
    at: around.now,
    message: around.message,
    step: attempt.step,
    attempt: id,
    channel: attempt.channel,
    outcome: outcome.kind,
    reason,
  });
  if (outcome.kind === 'accepted')
    draft.effects.push({
      kind: 'named',
      attempt: id,
      channel: attempt.channel,
      providerMessageId: outcome.providerMessageId,
    });
  if (draft.state.ended !== undefined) {
    draft.effects.push({ kind: 'forget', attempt: id });
    return;
  }
  if (GIVES_UP.has(outcome.kind)) takeNext(draft, attempt.step, around);
  const wait = retryIn(attempt, outcome, around);
  if (wait === undefined) return;
  const availableAt = around.now + wait;
  if (availableAt >= draft.state.accepted.expires || isSettled(draft.state)) return;
  startTry(draft, { attempt: id, step: attempt.step, tries: attempt.tries, availableAt }, around);
}

/** Milliseconds until the same attempt may be tried again; `undefined` when it may not. */
function retryIn(attempt: AttemptState, outcome: Outcome, { flow }: Surroundings): number | undefined {
  const backoff = Math.min(FIRST_BACKOFF * 2 ** (attempt.tries - 1), LONGEST_BACKOFF);
  if (outcome.kind === 'retry-after') return Math.max(outcome.afterMs, backoff);
  const adapter = flow.ladder[attempt.step]?.adapter;
  return outcome.kind === 'ambiguous' && adapter !== undefined && IDEMPOTENT[adapter] ? backoff : undefined;
}

/** A step that cannot succeed does not make the recipient wait for the next one's time. */
function takeNext(draft: Draft, step: number, around: Surroundings): void {
  if (!isSettled(draft.state)) takeStep(draft, step + 1, around);
}

function onProviderReceipt(
  draft: Draft,
  { attempt: id, status, code }: Extract<Input, { kind: 'provider-receipt' }>,
  around: Surroundings,
): void {
  const attempt = draft.state.attempts.get(id);
  if (attempt === undefined) return;
  const effect = attempt.receipts.has(status) ? 'duplicate' : draft.state.ended === undefined ? 'counted' : 'late';
  const settled = isSettled(draft.state);
  add(draft, {
    v: 1,
    kind: 'receipt.provider',
    at: around.now,
    message: around.message,
    step: attempt.step,
    attempt: id,
    channel: attempt.channel,
    status,
    code,
    effect,
  });
  if (effect !== 'counted') return;
  if (status === 'failed' || status === 'expired') takeNext(draft, attempt.step, around);
  else if (!settled) withdraw(draft);
}

function onDeviceReceipt(
  draft: Draft,
  { device, receipt, jws }: Extract<Input, { kind: 'device-receipt' }>,
  around: Surroundings,
): void {
  if (draft.state.devices.get(device)?.has(receipt) === true) return;
  const settled = isSettled(draft.state);
  add(draft, { v: 1, kind: 'receipt.device', at: around.now, message: around.message, device, receipt, jws });
  if (draft.state.ended !== undefined) return;
  if (receipt === 'read') end(draft, 'read', 'read-by-device', around);
  else if (!settled && isSettled(draft.state)) withdraw(draft);
}

/** A try that waits, for its time or for a dispatcher, must not go out any more; one under way still reports. */
function withdraw(draft: Draft): void {
  const open = [...draft.state.attempts.values()].some(({ outcome }) => outcome === undefined);
  if (open) draft.effects.push({ kind: 'withdraw' });
}

function onExpiry(draft: Draft, around: Surroundings): void {
  if (draft.state.ended !== undefined) return;
  end(draft, 'expired', deliveredToDevice(draft.state) ? 'delivered-unread' : 'reached-no-device', around);
}

function end(draft: Draft, state: EventOf<'message.ended'>['state'], reason: string, around: Surroundings): void {
  add(draft, { v: 1, kind: 'message.ended', at: around.now, message: around.message, state, reason });
  draft.effects.push({ kind: 'finish' });
}

/** No further notice is needed: a device has it, or a provider confirmed one. */
function isSettled(state: DeliveryState): boolean {
  return (
    deliveredToDevice(state) ||
    [...state.attempts.values()].some(({ receipts }) => receipts.has('delivered') || receipts.has('read'))
  );
}

function deliveredToDevice(state: DeliveryState): boolean {
  return [...state.devices.values()].some(
    (kinds) => kinds.has('delivered') || kinds.has('read') || kinds.has('acknowledged'),
  );
}
