/** Points of the gateway's server at which a crash is tried: before and after each durable step, and before each answer. */
import { type PointTable, pointsOf } from '@sealpost/platform';

export const GATEWAY_POINTS = {
  'envelopes.judged': 'the envelopes of a submission are checked, nothing is stored',
  'envelopes.before-commit': 'a batch is gathered and about to be stored',
  'envelopes.committed': 'envelopes and their events are durable, nobody was told',
  'envelopes.before-answer': 'the receipts are signed, the 202 is not sent',
  'delivery.before-commit': 'inputs are decided and their effects written, not committed',
  'delivery.committed': 'decisions are durable, dispatcher and devices had no hint',
  'receipt.before-commit': 'a device’s receipt is verified and decided, not committed',
  'receipt.committed': 'a device’s receipt is durable, the device was not told',
  'log.before-commit': 'leaves have positions in the tree, not committed',
  'log.committed': 'the tree has grown, its new head is not signed',
  'log.signed': 'a head is signed and not stored',
  'log.stored': 'a head is stored and not yet served',
  'log.cosigned': 'the witness’s signature is stored, the witness was not told',
  'queue.given': 'items of a device have cursors, none was sent',
  'queue.sent': 'an item is with the device, which has not acknowledged it',
  'queue.acknowledged': 'an acknowledgement is durable',
  'groups.created': 'a conversation exists, its creator was not told',
  'groups.before-commit': 'an MLS commit is taken and queued, not committed',
  'groups.committed': 'an MLS commit is durable, its committer was not told',
  'groups.claimed': 'key packages are given away, whoever claimed them does not have them',
  'directory.before-commit': 'a directory entry is recorded, not committed',
  'directory.committed': 'a directory entry is in force, control was not told',
  'blobs.written': 'a blob’s bytes are in their place, its row is not',
  'blobs.recorded': 'a blob counts as stored, whoever put it was not told',
  'inbound.acknowledged': 'bodies control has are gone, control was not told',
  'bundle.committed': 'a bundle is in force, control was not told',
} as const satisfies PointTable;

export const reached = pointsOf(GATEWAY_POINTS);
