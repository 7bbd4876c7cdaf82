/** The words of the delivery state machine: what it is told, what it answers. */
import type {
  AttemptId,
  CompiledFlow,
  ConversationId,
  EventOf,
  LogEvent,
  MessageId,
  Protection,
  RungVendor,
  Timestamp,
  VendorName,
} from '@sealpost/protocol';
import type { Outcome, RevokeResult } from '@sealpost/protocol/carriage';
import type { RouteFacts } from '../routing/index.ts';

export type { AttemptId, ChannelName, DeviceId, EventOf, LogEvent, VendorName } from '@sealpost/protocol';
export type OutcomeKind = Outcome['kind'];
export type ProviderStatus = EventOf<'receipt.provider'>['status'];

export type Input =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'step-due'; readonly step: number }
  | { readonly kind: 'expiry-due' }
  /** Who may has taken it back; `by` as control names them. */
  | { readonly kind: 'revoke'; readonly by: string }
  /** What the provider says of taking it back. */
  | { readonly kind: 'taken-back'; readonly attempt: AttemptId; readonly result: RevokeResult }
  /** No provider is asked any longer to take it back. */
  | { readonly kind: 'revocation-due' }
  | { readonly kind: 'outcome'; readonly attempt: AttemptId; readonly outcome: Outcome }
  | {
      readonly kind: 'provider-receipt';
      readonly attempt: AttemptId;
      readonly status: ProviderStatus;
      readonly code: string;
    }
  | {
      readonly kind: 'device-receipt';
      readonly device: EventOf<'receipt.device'>['device'];
      readonly receipt: EventOf<'receipt.device'>['receipt'];
      readonly jws: string;
    };

/** An input and the message it is about. */
export interface Taken {
  readonly message: MessageId;
  readonly input: Input;
  /** How often deciding it has failed before. */
  readonly failures?: number;
}

export type Effect =
  /** Put the envelope into the queue of each device of the conversation. */
  | { readonly kind: 'fan-out'; readonly conversation: ConversationId }
  | {
      readonly kind: 'timer';
      readonly timer: 'step' | 'expiry' | 'revocation';
      readonly step: number | null;
      readonly due: Timestamp;
    }
  | {
      readonly kind: 'attempt';
      readonly attempt: AttemptId;
      readonly step: number;
      readonly vendor: RungVendor;
      /** Of the message, or of its flow now where that demands more. */
      readonly floor: Protection;
      readonly try: number;
      readonly availableAt: Timestamp;
    }
  /** The provider calls this attempt so. */
  | {
      readonly kind: 'named';
      readonly attempt: AttemptId;
      readonly vendor: VendorName;
      readonly providerMessageId: string;
    }
  /** Tries that have not begun are not to be made: their forms go, the dispatcher reports them as withdrawn. */
  | { readonly kind: 'withdraw' }
  /** Nothing more will be sent: carrier parts, timers and attempts of the message go. */
  | { readonly kind: 'finish' }
  /** Out of the queue of each device that has not fetched it. */
  | { readonly kind: 'unqueue' }
  /** These tries have not reported: not to be made any more, their forms kept for what may have to be taken back. */
  | { readonly kind: 'keep'; readonly attempts: readonly AttemptId[] }
  /** The dispatcher is to have the provider take back what this attempt brought it. */
  | { readonly kind: 'take-back'; readonly attempt: AttemptId; readonly availableAt: Timestamp }
  /** Nothing is left to be taken back: timers, attempts and forms that were kept for it go. */
  | { readonly kind: 'let-go' }
  /** A try that was under way at the end has been reported: its row goes too. */
  | { readonly kind: 'forget'; readonly attempt: AttemptId };

/** What the machine must be told and may not look up itself. */
export interface Surroundings {
  readonly now: Timestamp;
  readonly message: MessageId;
  readonly flow: CompiledFlow;
  readonly devices: number;
  readonly forms: ReadonlySet<string>;
  readonly route: RouteFacts;
  /** A fresh attempt id. */
  readonly attemptId: () => AttemptId;
}

export interface Decision {
  readonly events: readonly LogEvent[];
  readonly effects: readonly Effect[];
}
