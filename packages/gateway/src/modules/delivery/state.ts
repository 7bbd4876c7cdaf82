/**
 * What is known of a delivery, folded from its events and from nothing else: the log is the state. A crash loses no more
 * than the transaction that had not committed.
 */
import { type Timestamp, vendorNameSchema } from '@sealpost/protocol';
import type {
  AttemptId,
  ChannelName,
  DeviceId,
  EventOf,
  LogEvent,
  OutcomeKind,
  ProviderStatus,
  VendorName,
} from './types.ts';

export interface AttemptState {
  readonly step: number;
  readonly channel: ChannelName;
  /** Who has the try, or had the last. */
  readonly vendor: VendorName;
  readonly tries: number;
  /** A try of it may have had an effect that nobody has denied: it must not go to another vendor. */
  readonly unsure: boolean;
  /** Vendors that turned a try of it away; unless it is unsure, none of them took it. */
  readonly turnedAway: ReadonlySet<VendorName>;
  /** `undefined` while a try is under way. */
  readonly outcome: OutcomeKind | undefined;
  readonly receipts: ReadonlySet<ProviderStatus>;
  /** How often the provider was told to take it back. */
  readonly revocations: number;
  /** It was told, and has not answered. */
  readonly revoking: boolean;
}

export interface DeliveryState {
  readonly accepted: EventOf<'message.accepted'>;
  readonly decided: ReadonlySet<number>;
  readonly attempts: ReadonlyMap<AttemptId, AttemptState>;
  readonly devices: ReadonlyMap<DeviceId, ReadonlySet<EventOf<'receipt.device'>['receipt']>>;
  readonly ended: EventOf<'message.ended'>['state'] | undefined;
  readonly revokedAt: Timestamp | undefined;
}

/** `undefined` when there is no acceptance among the events. */
export function foldDelivery(events: readonly LogEvent[]): DeliveryState | undefined {
  return events.reduce<DeliveryState | undefined>(applyEvent, undefined);
}

export function applyEvent(state: DeliveryState | undefined, event: LogEvent): DeliveryState | undefined {
  if (event.kind === 'message.accepted') {
    return state ?? newState(event);
  }
  if (state === undefined) return undefined;
  switch (event.kind) {
    case 'route.step':
      // A step that was put off comes due again.
      return event.decision === 'deferred' ? state : { ...state, decided: new Set([...state.decided, event.step]) };
    case 'attempt.started':
      return withAttempt(state, event.attempt, (known) => ({
        step: event.step,
        channel: event.channel,
        // Of before there were vendors: the channel was one of its own name.
        vendor: event.vendor ?? vendorNameSchema.parse(event.channel),
        tries: event.try,
        unsure: known?.unsure ?? false,
        turnedAway: known?.turnedAway ?? new Set(),
        outcome: undefined,
        receipts: known?.receipts ?? new Set(),
        revocations: 0,
        revoking: false,
      }));
    case 'attempt.ended':
      return withAttempt(state, event.attempt, (known) => known && endedBy(known, event.outcome));
    case 'attempt.asked':
      return event.task === 'query'
        ? state
        : withAttempt(
            state,
            event.attempt,
            (known) => known && { ...known, revocations: known.revocations + 1, revoking: true },
          );
    case 'attempt.taken-back':
      return withAttempt(state, event.attempt, (known) => known && { ...known, revoking: false });
    case 'message.revoked':
      return { ...state, revokedAt: event.at };
    case 'receipt.provider':
      return withAttempt(
        state,
        event.attempt,
        (known) => known && { ...known, receipts: new Set([...known.receipts, event.status]) },
      );
    case 'receipt.device': {
      const kinds = new Set([...(state.devices.get(event.device) ?? []), event.receipt]);
      return { ...state, devices: new Map([...state.devices, [event.device, kinds]]) };
    }
    case 'message.ended':
      return { ...state, ended: event.state };
    default:
      return state;
  }
}

function newState(accepted: EventOf<'message.accepted'>): DeliveryState {
  return {
    accepted,
    decided: new Set(),
    attempts: new Map(),
    devices: new Map(),
    ended: undefined,
    revokedAt: undefined,
  };
}

const TURNED_AWAY: ReadonlySet<OutcomeKind> = new Set(['retry-after', 'auth-broken']);

function endedBy(known: AttemptState, outcome: OutcomeKind): AttemptState {
  return {
    ...known,
    outcome,
    unsure: known.unsure || outcome === 'ambiguous',
    turnedAway: TURNED_AWAY.has(outcome) ? new Set([...known.turnedAway, known.vendor]) : known.turnedAway,
  };
}

function withAttempt(
  state: DeliveryState,
  id: AttemptId,
  change: (known: AttemptState | undefined) => AttemptState | undefined,
): DeliveryState {
  const changed = change(state.attempts.get(id));
  return changed === undefined ? state : { ...state, attempts: new Map([...state.attempts, [id, changed]]) };
}
