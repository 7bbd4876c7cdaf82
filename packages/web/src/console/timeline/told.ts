/** A message's events as an operator reads them: each one plain sentence, and why. */
import type { AdapterName, EventOf, LogEvent, MessageStatus } from '@sealpost/protocol';
import type { Tone } from '../../design/text.tsx';
import { asItStands, END_REASONS, receiptReason, STEP_REASONS, tryReason } from './reasons.ts';

export type TimelineEntry = MessageStatus['timeline'][number];

interface Words {
  readonly sentence: string;
  /** Empty when the sentence says it all. */
  readonly why: string;
  readonly tone: Tone;
}

export interface Told extends Words {
  readonly entry: TimelineEntry;
  /** Its place in the timeline, which only grows. */
  readonly number: number;
}

/** What a channel is to people. */
export const ADAPTER_WORDS: Readonly<Record<AdapterName, string>> = {
  app: 'the app',
  'rcs-google': 'RCS',
  'rcs-twilio': 'RCS',
  'rcs-infobip': 'RCS',
  'rcs-sinch': 'RCS',
  'rcs-vonage': 'RCS',
  'rcs-aws': 'RCS',
  'rcs-maap': 'RCS',
  'sms-smpp': 'SMS',
  'sms-twilio': 'SMS',
  'whatsapp-cloud': 'WhatsApp',
  slack: 'Slack',
  teams: 'Teams',
  email: 'e-mail',
  imessage: 'iMessage',
  'imessage-business': 'Apple Messages for Business',
  signal: 'Signal',
  webpush: 'Web Push',
};

/** Whom the message is for, and which adapter the channel of each step has. */
interface Around {
  readonly recipient: string;
  readonly adapters: ReadonlyMap<number, AdapterName>;
}

export function tellTimeline(timeline: readonly TimelineEntry[], recipient: string): Told[] {
  const adapters = new Map(
    timeline.flatMap(({ event }) => (event.kind === 'route.step' ? [[event.step, event.adapter] as const] : [])),
  );
  return timeline.map((entry, index) => ({ entry, number: index + 1, ...tell(entry.event, { recipient, adapters }) }));
}

function tell(event: LogEvent, around: Around): Words {
  switch (event.kind) {
    case 'message.accepted':
      return plain('The gateway stored the sealed message and promised it an entry in the log.');
    case 'route.step':
      return step(event, around);
    case 'attempt.started':
      return plain(`Try ${event.try} by ${by(event, around)} was handed to the dispatcher.`);
    case 'attempt.ended':
      return ended(event, around);
    case 'receipt.provider':
      return providerReceipt(event, around);
    case 'receipt.device':
      return plain(...DEVICE_WORDS[event.receipt](around.recipient));
    case 'message.revoked':
      return plain('The message was taken back; nothing more of it is sent.');
    case 'attempt.asked':
      return plain(ASKED_WORDS[event.task](by(event, around)));
    case 'attempt.taken-back':
      return {
        sentence: `${capital(by(event, around))}: ${TAKEN_BACK_WORDS[event.result]}`,
        why: event.result === 'revoked' ? '' : tryReason(event.reason),
        tone: event.result === 'revoked' ? 'plain' : 'warn',
      };
    case 'message.ended':
      return {
        sentence: END_WORDS[event.state],
        why: END_REASONS[event.reason] ?? asItStands(event.reason),
        tone: 'plain',
      };
    default:
      return plain(`The log holds an event of kind ${event.kind}.`);
  }
}

function step({ step: number, adapter, use, decision, reason }: EventOf<'route.step'>, { recipient }: Around): Words {
  const way = ADAPTER_WORDS[adapter];
  const what = use === 'carry' ? `the sealed message by ${way}` : `a notice without content by ${way}`;
  const why = number === 0 && reason === 'due' ? 'It is the first step of the ladder.' : STEP_REASONS[reason];
  const goal = adapter === 'app' ? `to ${recipient}’s devices` : `to ${recipient}’s number`;
  return {
    sentence: `Step ${number + 1}${decision === 'taken' ? '' : decision === 'skipped' ? ', skipped' : ', put off'}: ${what} ${goal}.`,
    why: why ?? asItStands(reason),
    tone: 'plain',
  };
}

function ended(event: EventOf<'attempt.ended'>, around: Around): Words {
  const way = by(event, around);
  if (event.reason === 'withdrawn') return plain(`The try by ${way} was withdrawn.`, tryReason(event.reason));
  const [sentence, tone] = event.left === undefined ? OUTCOME_WORDS[event.outcome] : LEFT_WORDS;
  const why = [tryReason(event.reason), event.left === undefined ? '' : LEFT_REASONS[event.left]];
  return { sentence: `${capital(way)}: ${sentence}`, why: why.filter((each) => each !== '').join(' '), tone };
}

const LEFT_WORDS: readonly [string, Tone] = [
  'the provider did not take it, and nobody may try again; the ladder goes on at once.',
  'warn',
];

const LEFT_REASONS: Readonly<Record<NonNullable<EventOf<'attempt.ended'>['left']>, string>> = {
  'below-floor': 'The flow’s floor was raised above this route meanwhile.',
  'vendor-expired': 'This channel’s provider accounts have expired.',
  'no-capability': 'No other provider account of this channel reaches this person.',
  'not-rolled-out': 'The channel is no longer open to this person.',
};

const OUTCOME_WORDS: Readonly<Record<EventOf<'attempt.ended'>['outcome'], readonly [string, Tone]>> = {
  accepted: ['the provider took the notice.', 'plain'],
  'retry-after': ['the provider could not take it now; it is tried again a little later.', 'warn'],
  ambiguous: ['no clear answer; the provider may have taken it or not.', 'warn'],
  downgrade: ['this number cannot be reached this way now; the ladder goes on at once.', 'warn'],
  permanent: ['it will never be taken this way; the ladder goes on at once.', 'warn'],
  'auth-broken': [
    'the provider refuses our credentials, and its operator must act; the ladder goes on at once.',
    'bad',
  ],
  'security-stop': ['the provider reports something a person must look at first; the ladder goes on at once.', 'bad'],
};

function providerReceipt({ status, code, effect, ...event }: EventOf<'receipt.provider'>, around: Around): Words {
  const [words, tone] = RECEIPT_WORDS[status];
  return {
    sentence: `${capital(by(event, around))}: ${words}`,
    why: `${receiptReason(code)} ${EFFECTS[effect]}`.trim(),
    tone,
  };
}

const ASKED_WORDS: Readonly<Record<EventOf<'attempt.asked'>['task'], (way: string) => string>> = {
  query: (way) => `The provider of ${way} is asked what became of the try.`,
  revoke: (way) => `The provider of ${way} is told to take it back.`,
};

const TAKEN_BACK_WORDS: Readonly<Record<EventOf<'attempt.taken-back'>['result'], string>> = {
  revoked: 'the provider took it back.',
  'too-late': 'it was too late to take it back.',
  'retry-after': 'the provider could not take it back now; it is told again a little later.',
  unknown: 'nobody can say whether the provider took it back.',
};

const RECEIPT_WORDS: Readonly<Record<EventOf<'receipt.provider'>['status'], readonly [string, Tone]>> = {
  delivered: ['the provider says the notice reached the phone.', 'plain'],
  read: ['the provider says the notice was seen.', 'plain'],
  expired: ['the provider gave the notice up: it did not reach the phone in time.', 'warn'],
  failed: ['the provider could not deliver the notice.', 'warn'],
};

const EFFECTS: Readonly<Record<EventOf<'receipt.provider'>['effect'], string>> = {
  counted: '',
  duplicate: 'Said before; it changed nothing.',
  late: 'It came after the end; it changed nothing.',
};

const DEVICE_WORDS: Readonly<Record<EventOf<'receipt.device'>['receipt'], (who: string) => [string, string]>> = {
  delivered: (who) => [`A device of ${who} confirmed that it has the message.`, SIGNED],
  read: (who) => [`A device of ${who} confirmed that the message was opened.`, SIGNED],
  acknowledged: (who) => [`${capital(who)} acknowledged the message on a device.`, SIGNED],
  unreadable: (who) => [`A device of ${who} could not open the message.`, SIGNED],
};
const SIGNED = 'Signed with the device’s own key, for exactly this content.';

const END_WORDS: Readonly<Record<EventOf<'message.ended'>['state'], string>> = {
  read: 'Delivery has ended: read.',
  expired: 'Delivery has ended: expired.',
  undeliverable: 'Delivery has ended: it could not be delivered.',
  revoked: 'Delivery has ended: the sender took the message back.',
};

function by(
  { step: number, channel }: { readonly step: number; readonly channel: string },
  { adapters }: Around,
): string {
  const adapter = adapters.get(number);
  return adapter === undefined ? channel : ADAPTER_WORDS[adapter];
}

function plain(sentence: string, why = ''): Words {
  return { sentence, why, tone: 'plain' };
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
