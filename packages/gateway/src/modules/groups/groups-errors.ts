/** Every way the delivery service refuses. */
import { type ErrorTable, errorsOf } from '@sealpost/protocol';

export const GROUPS_ERRORS = {
  /** Make new packages; these are never taken. */
  ERR_GROUPS_KEY_PACKAGE: {
    kind: 'invalid',
    sentence: 'A key package is not one this device can be added with.',
    hint: 'Upload packages of suite 2 with this device’s own certificate, valid now, marked last resort where the request says so.',
  },
  /** Upload again once some were claimed. */
  ERR_GROUPS_POOL_FULL: {
    kind: 'limited',
    sentence: 'The device has as many key packages as are kept.',
    hint: 'Upload more when the number told at sync has gone down.',
  },
  ERR_GROUPS_CREATOR: {
    kind: 'conflict',
    sentence: 'This conversation exists and was created by another agent.',
    hint: 'Use a new conversation id.',
  },
  ERR_GROUPS_CREATOR_NAME: {
    kind: 'invalid',
    sentence: 'The creator is not an agent of this organisation.',
    hint: 'Send the URI in the agent’s certificate.',
  },
  ERR_GROUPS_MISSING: {
    kind: 'missing',
    sentence: 'There is no such conversation.',
    hint: 'Create it first.',
  },
  /** The current epoch is in `errors[0].detail`, as decimal digits, at pointer /epoch. */
  ERR_GROUPS_EPOCH: {
    kind: 'conflict',
    sentence: 'Another commit has already ended this epoch.',
    hint: 'Process the commits up to the epoch named in `errors`, then commit again.',
  },
  ERR_GROUPS_COMMIT: {
    kind: 'invalid',
    sentence: 'The commit or welcome is not what the request says it is.',
    hint: 'Send the commit of this conversation and epoch, and a welcome for exactly the devices named.',
  },
  ERR_GROUPS_DEVICES: {
    kind: 'conflict',
    sentence: 'The devices added or removed do not fit who is in the conversation.',
    hint: 'Fetch the conversation, and the directory for devices that may be added; then commit again.',
  },
  ERR_GROUPS_TOO_LARGE: {
    kind: 'too-large',
    sentence: 'Welcome and ratchet tree together are larger than one sync frame.',
    hint: 'Split the conversation; a welcome with its tree fits in 4 MB.',
  },
  ERR_GROUPS_LOG_STALLED: {
    kind: 'unavailable',
    sentence: 'The log has no checkpoint young enough, so nobody is added.',
    hint: 'Try again shortly; nothing was stored. Commits that only remove are taken at any time.',
  },
} as const satisfies ErrorTable;
export const groupsError = errorsOf(GROUPS_ERRORS);
