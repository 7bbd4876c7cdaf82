/** Points of control at which a crash is tried: between what it stores, what it sends, and what it answers. */
import { type PointTable, pointsOf } from '@sealpost/platform';

export const CONTROL_POINTS = {
  'messages.before-commit': 'a message is sealed and written with its ratchet step, not committed',
  'messages.stored': 'the sealed request is durable, nothing was submitted',
  'messages.submitted': 'the gateway has promised, the promise is not stored',
  'messages.accepted': 'the promise is stored, the caller was not told',
  'agents.created': 'the gateway has the conversation, control has no state of it',
  'agents.pending': 'a commit is stored as pending, not posted',
  'agents.posted': 'the gateway has the commit, control still has it as pending',
  'agents.promoted': 'the commit is current, keys of the epoch before are not yet erased',
  'blobs.sealed': 'an attachment is sealed, the gateway does not have it',
  'blobs.put': 'the gateway has the attachment, no message names it',
  'enrollment.invited': 'an invitation is durable, the operator was not told',
  'enrollment.recorded': 'a device’s entry is signed and durable, not posted',
  'enrollment.posted': 'the gateway has the entry, control does not know that',
  'enrollment.marked': 'the entry counts as posted, the device was not told',
  'flows.offered': 'the gateway runs the bundle, control does not',
  'flows.stored': 'the bundle is durable in control and not yet loaded',
  'inbound.taken': 'what somebody wrote has made its events, the gateway was not told',
  'deliveries.taken': 'a subscriber has taken an event, nobody wrote that down',
  'subscriptions.followed': 'entries of the log have made their events, not committed',
  'witness.advanced': 'the witness has stored what it saw, not cosigned it',
} as const satisfies PointTable;

export const reached = pointsOf(CONTROL_POINTS);
