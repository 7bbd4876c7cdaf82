/** What a timeline says of the carriers a message was given to: in which order, how each try ended, and how well protected. */
import {
  type ChannelName,
  type EventOf,
  type LogEvent,
  type Protection,
  protectionOf,
  type Use,
} from '@sealpost/protocol';

export interface Rung {
  readonly channel: ChannelName;
  readonly use: Use;
  /** Of the content on this rung; `undefined` where it holds none. */
  readonly protection: Protection | undefined;
  /** How each try ended, in order. */
  readonly outcomes: readonly EventOf<'attempt.ended'>['outcome'][];
  /** Milliseconds from acceptance to the provider's word that it was delivered. */
  readonly deliveredAfter: number | undefined;
}

export interface Course {
  readonly floor: Protection;
  /** The carriers that were tried; the app is none. */
  readonly rungs: readonly Rung[];
}

/** `undefined` for a timeline that does not begin with an acceptance. */
export function courseOf(events: readonly LogEvent[]): Course | undefined {
  const accepted = events.find((event) => event.kind === 'message.accepted');
  if (accepted === undefined) return undefined;
  const steps = events.filter((event) => event.kind === 'route.step');
  const carriers = steps.filter(({ decision, adapter }) => decision === 'taken' && adapter !== 'app');
  const rungs = carriers.map(({ step, channel, use, adapter }): Rung => {
    const ended = events.filter((event) => event.kind === 'attempt.ended').filter((event) => event.step === step);
    const delivered = events.find(
      (event) => event.kind === 'receipt.provider' && event.step === step && event.status === 'delivered',
    );
    return {
      channel,
      use,
      protection: protectionOf(use, adapter),
      outcomes: ended.map(({ outcome }) => outcome),
      deliveredAfter: delivered === undefined ? undefined : delivered.at - accepted.at,
    };
  });
  return { floor: accepted.floor, rungs };
}

/** One line a rung, and one about the floor. */
export function courseInWords({ floor, rungs }: Course): string[] {
  const content = rungs.filter(({ protection }) => protection !== undefined).length;
  return [
    ...rungs.map(rungInWords),
    `floor ${floor}: of ${rungs.length} carriers ${content === 0 ? 'none' : content} was given content`,
  ];
}

function rungInWords({ channel, use, outcomes, deliveredAfter }: Rung): string {
  const tries = `${outcomes.length} ${outcomes.length === 1 ? 'try' : 'tries'}: ${outcomes.join(', ')}`;
  const end =
    deliveredAfter === undefined ? '' : `, delivered ${(deliveredAfter / 1000).toFixed(1)} s after acceptance`;
  return `${channel} (${use}): ${tries}${end}`;
}
