/**
 * The delivery state machine: pure. Given what is known and one input it answers the events to append and the effects to
 * carry out in the same transaction. Every input may come twice, late or out of order; then it changes nothing.
 */
import { type AttemptId, isIdempotent, meetsFloor, type RungVendor, revocationOf, vendorsOf } from '@sealpost/protocol';
import type { Outcome, RevokeResult } from '@sealpost/protocol/carriage';
import { chooseVendor, decideStep, higher } from '../routing/index.ts';
import { type AttemptState, applyEvent, type DeliveryState } from './state.ts';
import type { Decision, Effect, EventOf, Input, LogEvent, Surroundings } from './types.ts';

const FIRST_BACKOFF = 1_000;
const LONGEST_BACKOFF = 60_000;
const SHORTEST_WAIT = 100;
/** How long a provider that asks to wait is told again, and the form with the address kept for it. */
const REVOKED_FOR = 3_600_000;
/** Refusals of the dispatcher's own, each with its exact wait: nothing was asked of the provider, nothing has failed. */
const HELD_BACK: ReadonlySet<string> = new Set(['vendor-closed', 'circuit-open', 'rate-limited', 'database-away']);

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
    case 'revoke':
      onRevoke(draft, input.by, around);
      break;
    case 'taken-back':
      onTakenBack(draft, input, around);
      break;
    case 'revocation-due':
      onRevocationOver(draft, around);
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
    expires: state.accepted.expires,
    now: around.now,
    devices: around.devices,
    forms: around.forms,
    seed: `${around.message} ${step}`,
    route: around.route,
  };
  const decision = decideStep(rung, facts);
  add(draft, {
    v: 1,
    kind: 'route.step',
    at: around.now,
    message: around.message,
    step,
    channel: rung.channel,
    adapter: decision.kind === 'taken' ? decision.vendor.adapter : rung.adapter,
    use: rung.use,
    decision: decision.kind,
    reason: decision.reason,
    ...(decision.kind === 'taken' && rung.adapter !== 'app' ? { vendor: decision.vendor.vendor } : {}),
    ...(decision.kind === 'deferred' ? { until: decision.until } : {}),
  });
  if (decision.kind === 'deferred') draft.effects.push({ kind: 'timer', timer: 'step', step, due: decision.until });
  if (decision.kind !== 'taken') return;
  if (rung.adapter === 'app') draft.effects.push({ kind: 'fan-out', conversation: state.accepted.conversation });
  else
    startTry(
      draft,
      { attempt: around.attemptId(), step, vendor: decision.vendor, tries: 0, availableAt: around.now },
      around,
    );
}

function startTry(
  draft: Draft,
  next: {
    attempt: EventOf<'attempt.started'>['attempt'];
    step: number;
    vendor: RungVendor;
    tries: number;
    availableAt: number;
  },
  around: Surroundings,
): void {
  const rung = around.flow.ladder[next.step];
  const floor = higher(draft.state.accepted.floor, around.route.floor);
  // The same question once more, right before anything could leave: a floor is not a matter of one check.
  if (rung === undefined || !meetsFloor(rung.use, next.vendor.adapter, floor)) return;
  add(draft, {
    v: 1,
    kind: 'attempt.started',
    at: around.now,
    message: around.message,
    step: next.step,
    attempt: next.attempt,
    channel: rung.channel,
    vendor: next.vendor.vendor,
    try: next.tries + 1,
  });
  draft.effects.push({
    kind: 'attempt',
    attempt: next.attempt,
    step: next.step,
    vendor: next.vendor,
    floor,
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
  const ended: EventOf<'attempt.ended'> = {
    v: 1,
    kind: 'attempt.ended',
    at: around.now,
    message: around.message,
    step: attempt.step,
    attempt: id,
    channel: attempt.channel,
    outcome: outcome.kind,
    reason: outcome.kind === 'accepted' ? 'accepted' : outcome.reason,
  };
  const known = applyEvent(draft.state, ended)?.attempts.get(id) ?? attempt;
  const next = draft.state.ended === undefined ? nextTry(known, outcome, draft.state.accepted, around) : RESTS;
  add(draft, next.kind === 'gives-up' && next.left !== undefined ? { ...ended, left: next.left } : ended);
  if (outcome.kind === 'accepted')
    draft.effects.push({
      kind: 'named',
      attempt: id,
      vendor: attempt.vendor,
      providerMessageId: outcome.providerMessageId,
    });
  if (draft.state.ended !== undefined) {
    if (draft.state.revokedAt !== undefined && mayBeTakenBack(known, around)) takeBack(draft, id, around.now, around);
    else draft.effects.push({ kind: 'forget', attempt: id });
    letGoWhenAnswered(draft, around);
    return;
  }
  if (next.kind === 'gives-up') takeNext(draft, attempt.step, around);
  if (next.kind !== 'again' || isSettled(draft.state)) return;
  const availableAt = Math.max(around.now + next.wait, around.route.quietUntil ?? 0);
  if (availableAt >= draft.state.accepted.expires) return;
  startTry(draft, { attempt: id, step: attempt.step, vendor: next.vendor, tries: attempt.tries, availableAt }, around);
}

type Left = NonNullable<EventOf<'attempt.ended'>['left']>;
type NextTry =
  /** `wait` milliseconds from now. */
  | { readonly kind: 'again'; readonly vendor: RungVendor; readonly wait: number }
  /** The step will not succeed: the next may begin at once. `left`: why, where the outcome does not say it. */
  | { readonly kind: 'gives-up'; readonly left?: Left }
  /** Taken, or nobody can say: a receipt or the next step's time decides. */
  | { readonly kind: 'rests' };

const GIVES_UP: NextTry = { kind: 'gives-up' };
const leaves = (left: Left): NextTry => ({ kind: 'gives-up', left });
const RESTS: NextTry = { kind: 'rests' };

/**
 * Who tries again and when. What was certainly not taken may go to another vendor of the channel, at once; what may have
 * been taken stays with its vendor: repeated where that is harmless, or where the flow would rather have it twice than never.
 */
function nextTry(
  attempt: AttemptState,
  outcome: Outcome,
  accepted: EventOf<'message.accepted'>,
  { flow, route, message }: Surroundings,
): NextTry {
  const rung = flow.ladder[attempt.step];
  const same = rung === undefined ? undefined : vendorsOf(rung).find(({ vendor }) => vendor === attempt.vendor);
  if (rung === undefined || same === undefined || outcome.kind === 'accepted') return RESTS;
  const backoff = Math.min(FIRST_BACKOFF * 2 ** (attempt.tries - 1), LONGEST_BACKOFF);
  const floor = higher(accepted.floor, route.floor);
  const mayBeSame = meetsFloor(rung.use, same.adapter, floor);
  if (outcome.kind === 'ambiguous') {
    const mayRepeat = isIdempotent(same.adapter) || flow.ambiguous === 'at-least-once';
    return mayRepeat && mayBeSame ? { kind: 'again', vendor: same, wait: backoff } : RESTS;
  }
  if (outcome.kind !== 'retry-after' && outcome.kind !== 'auth-broken') return GIVES_UP;
  if (!route.isRolledOut(rung.channel)) return leaves('not-rolled-out');
  const again: NextTry =
    outcome.kind === 'retry-after' ? { kind: 'again', vendor: same, wait: waitOf(outcome, backoff) } : GIVES_UP;
  const later = mayBeSame ? again : leaves('below-floor');
  if (attempt.unsure) return later;
  const seed = `${message} ${attempt.step} ${attempt.tries}`;
  const chosen = chooseVendor({ rung, floor, facts: route, seed, avoid: attempt.turnedAway });
  if (chosen.kind === 'none') return chosen.reason === 'vendor-closed' ? later : leaves(chosen.reason);
  return attempt.turnedAway.has(chosen.vendor.vendor) ? later : { kind: 'again', vendor: chosen.vendor, wait: 0 };
}

function waitOf({ afterMs, reason }: Extract<Outcome, { kind: 'retry-after' }>, backoff: number): number {
  return HELD_BACK.has(reason) ? Math.max(afterMs, SHORTEST_WAIT) : Math.max(afterMs, backoff);
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
  end(draft, 'expired', knownAtExpiry(draft.state), around);
}

/** What is known when time is up: the best of what devices and providers have said. */
function knownAtExpiry(state: DeliveryState): string {
  if (deliveredToDevice(state)) return 'delivered-unread';
  if (isSettled(state)) return 'notice-delivered';
  const outcomes = [...state.attempts.values()].map(({ outcome }) => outcome);
  if (outcomes.includes('accepted')) return 'notice-unconfirmed';
  return outcomes.includes('ambiguous') ? 'notice-ambiguous' : 'reached-no-device';
}

/**
 * Ends the message for good: no step, no try, no device that has not fetched it. What a provider took, it is told to take
 * back; what is still with a dispatcher waits for its report.
 */
function onRevoke(draft: Draft, by: string, around: Surroundings): void {
  if (draft.state.ended !== undefined) return;
  add(draft, { v: 1, kind: 'message.revoked', at: around.now, message: around.message, by });
  draft.effects.push({ kind: 'unqueue' });
  const attempts = [...draft.state.attempts].filter(([, attempt]) => isRevocable(attempt, around));
  const open = attempts.filter(([, { outcome }]) => outcome === undefined);
  if (open.length > 0) draft.effects.push({ kind: 'keep', attempts: open.map(([id]) => id) });
  for (const [id, attempt] of attempts) if (mayBeTakenBack(attempt, around)) takeBack(draft, id, around.now, around);
  end(draft, 'revoked', 'taken-back-by-sender', around);
  if (isAwaited(draft.state, around))
    draft.effects.push({ kind: 'timer', timer: 'revocation', step: null, due: around.now + REVOKED_FOR });
}

function onTakenBack(
  draft: Draft,
  { attempt: id, result }: Extract<Input, { kind: 'taken-back' }>,
  around: Surroundings,
): void {
  const attempt = draft.state.attempts.get(id);
  if (attempt?.revoking !== true) return;
  add(draft, takenBack(id, attempt, result, around));
  const wait = Math.min(FIRST_BACKOFF * 2 ** (attempt.revocations - 1), LONGEST_BACKOFF);
  const availableAt = around.now + Math.max(result.kind === 'retry-after' ? result.afterMs : 0, wait);
  if (result.kind === 'retry-after' && availableAt < (draft.state.revokedAt ?? 0) + REVOKED_FOR)
    takeBack(draft, id, availableAt, around);
  else draft.effects.push({ kind: 'forget', attempt: id });
  letGoWhenAnswered(draft, around);
}

/** Forms are not kept for a provider, or a dispatcher, that does not answer. */
function onRevocationOver(draft: Draft, around: Surroundings): void {
  if (draft.state.revokedAt === undefined) return;
  for (const [id, attempt] of draft.state.attempts)
    if (attempt.revoking) add(draft, takenBack(id, attempt, { kind: 'unknown', reason: 'unanswered-in-time' }, around));
  draft.effects.push({ kind: 'let-go' });
}

function takeBack(draft: Draft, id: AttemptId, availableAt: number, around: Surroundings): void {
  const attempt = draft.state.attempts.get(id);
  if (attempt === undefined) return;
  add(draft, {
    v: 1,
    kind: 'attempt.asked',
    at: around.now,
    message: around.message,
    step: attempt.step,
    attempt: id,
    channel: attempt.channel,
    vendor: attempt.vendor,
    task: 'revoke',
  });
  draft.effects.push({ kind: 'take-back', attempt: id, availableAt });
}

function takenBack(
  id: AttemptId,
  { step, channel }: AttemptState,
  result: RevokeResult,
  { now, message }: Surroundings,
): EventOf<'attempt.taken-back'> {
  const reason = result.kind === 'revoked' ? 'revoked' : result.reason;
  return {
    v: 1,
    kind: 'attempt.taken-back',
    at: now,
    message,
    step,
    attempt: id,
    channel,
    result: result.kind,
    reason,
  };
}

/** The provider may have it and would take it back: it said so, or nobody can say that it has not. */
function mayBeTakenBack(attempt: AttemptState, around: Surroundings): boolean {
  const mayHaveIt = attempt.outcome === 'accepted' || (attempt.outcome !== undefined && attempt.unsure);
  return mayHaveIt && isRevocable(attempt, around);
}

function isRevocable({ step, vendor, receipts }: AttemptState, { flow }: Surroundings): boolean {
  const rung = flow.ladder[step];
  const adapter = rung && vendorsOf(rung).find((each) => each.vendor === vendor)?.adapter;
  if (adapter === undefined || receipts.has('failed') || receipts.has('expired')) return false;
  const revocation = revocationOf(adapter);
  return (
    revocation === 'always' || (revocation === 'before-delivery' && !receipts.has('delivered') && !receipts.has('read'))
  );
}

/** Whether a provider still has to answer, or a dispatcher to say whether there is anything to take back. */
function isAwaited({ attempts }: DeliveryState, around: Surroundings): boolean {
  return [...attempts.values()].some(
    (attempt) => attempt.revoking || (attempt.outcome === undefined && isRevocable(attempt, around)),
  );
}

function letGoWhenAnswered(draft: Draft, around: Surroundings): void {
  if (draft.state.revokedAt !== undefined && !isAwaited(draft.state, around)) draft.effects.push({ kind: 'let-go' });
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
