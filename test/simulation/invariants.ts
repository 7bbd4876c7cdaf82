/** What must hold in every world, by name. `judge.ts` says when one does not. */
export const INVARIANTS = {
  floor: 'nothing is taken, stored or sent on a route below the floor of its flow',
  'floor-raised': 'no step is taken and no try begins below a floor that was raised before it was decided',
  'switch-kept': 'no try goes to a vendor that was closed before it was decided, or before it was claimed',
  'rollout-kept': 'no step is taken on a channel whose rollout lets nobody on',
  'nothing-after-end': 'once a message has ended no step is taken and no try begins; what was under way only reports',
  'not-after-withdrawal': 'a try claimed after the message was delivered, confirmed or ended is never sent',
  'not-after-revocation': 'what is claimed after its message was taken back is never sent, and no device is given it',
  'revocation-ends': 'who takes a message back is told how it has ended, and that is what the timeline says',
  'taken-back':
    'what a provider took, or may have, of a message that was taken back is told to take it back where it can, and each telling has its answer',
  'no-notice-after-delivery':
    'no step is taken and no try is started once a device or a provider has confirmed the message',
  'not-after-expiry': 'nothing is taken, tried or sent at or after the expiry',
  'one-effect': 'a step has one effect at a provider that knows repeats by their id',
  'double-only-ambiguous':
    'a step has two effects at a provider that does not, only when its attempt is flagged ambiguous',
  'no-blind-retry': 'what may have had its effect is not tried again where the provider would repeat it',
  'vendor-as-told': 'a try goes to the vendor the timeline names',
  'stays-when-unsure': 'what may have been taken by one vendor is not given to another',
  'every-message-ends':
    'every accepted message ends, and not before its expiry unless it was read or could reach nobody',
  'ladder-order': 'the steps of a ladder are decided once each and in order',
  'not-before-time': 'no step is taken before its time, unless the one before it gave up',
  'conversation-order': 'messages of one conversation reach a device’s queue in the order they were accepted',
  'queued-once': 'a message that went to the devices is in the queue of each of them exactly once',
  gapless: 'the events of a lane are numbered without gap, and a cursor never goes back',
  'legal-transitions': 'a try starts after its step was taken, ends after it started, and tries count one by one',
  'decided-once': 'each acceptance is decided once, whoever has lost its lease: one timer a step and one expiry',
  fenced: 'a transaction that found its lane in other hands is not committed',
  'receipt-counted-once': 'a provider’s status counts at most once for an attempt, and never after the end',
  'receipts-kept':
    'each stored receipt of a known message is one event, and each receipt a device was told is recorded too',
  'stable-attempt': 'a step keeps one attempt id over all its tries',
  'tries-end': 'each try that a dispatcher took up has its end on the timeline, and only such a try',
  'retry-after-kept': 'a provider that asks to wait is not asked again sooner',
  'set-aside-only-for-cause': 'an input is set aside only when the flow it needs cannot be had',
  'nothing-left': 'when all has ended no timer, attempt, outcome, parked receipt, name or carrier form is left',
  'comes-to-rest': 'once nothing goes wrong any more, the world comes to rest',
} as const;

export type Invariant = keyof typeof INVARIANTS;

export interface Violation {
  readonly invariant: Invariant;
  readonly what: string;
}
