/** Every way the directory refuses. */
import { type ErrorTable, errorsOf } from '@sealpost/protocol';

export const DIRECTORY_ERRORS = {
  /** Not retried: the entry is not what control signs, or says something its proofs do not. */
  ERR_DIRECTORY_ENTRY: {
    kind: 'integrity',
    sentence: 'The directory entry does not verify.',
    hint: 'Post the entry exactly as control signed it, with the approval and certificate chain that allow it.',
  },
  /** Read the member's chain, link to its head, sign again. */
  ERR_DIRECTORY_HEAD: {
    kind: 'conflict',
    sentence: 'The entry does not follow the newest entry of this member.',
    hint: 'Fetch the member’s chain and make the entry again with `previous` as the hash of its last entry.',
  },
  /** Ask for a fresh approval. */
  ERR_DIRECTORY_APPROVAL_USED: {
    kind: 'conflict',
    sentence: 'The approval in this entry has already allowed another change.',
    hint: 'Have a new approval signed; each is good for one change.',
  },
  /** Ask for a fresh invitation. */
  ERR_DIRECTORY_INVITE_EXPIRED: {
    kind: 'denied',
    sentence: 'The invitation in this entry has expired.',
    hint: 'Have a new invitation approved and enroll again.',
  },
  /** Make a new key on the device and enroll that. */
  ERR_DIRECTORY_DEVICE_TAKEN: {
    kind: 'conflict',
    sentence: 'This device id or key belongs to another device, or to one that was revoked.',
    hint: 'Enroll again with a new device key.',
  },
  /** Nothing to do: there is no such active device. */
  ERR_DIRECTORY_DEVICE_UNKNOWN: {
    kind: 'missing',
    sentence: 'This member has no such active device.',
    hint: 'Fetch the member’s chain to see which devices it has.',
  },
  ERR_DIRECTORY_MEMBER_UNKNOWN: {
    kind: 'missing',
    sentence: 'The directory has no entry of this member.',
    hint: 'Enroll a first device.',
  },
  ERR_DIRECTORY_LOG_STALLED: {
    kind: 'unavailable',
    sentence: 'The log has no checkpoint young enough, so no device is enrolled.',
    hint: 'Try again shortly; nothing was stored. Revocations are taken at any time.',
  },
} as const satisfies ErrorTable;
export const directoryError = errorsOf(DIRECTORY_ERRORS);
