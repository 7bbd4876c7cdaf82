/**
 * Errors of a device. Those from ERR_CLIENT_ENVELOPE to ERR_CLIENT_DECRYPT are why a message is unreadable: values in the
 * inbox, never thrown while receiving. A problem the gateway or control answers keeps its own code.
 */
import { type ErrorTable, errorsOf } from '@sealpost/protocol';

export const CLIENT_ERRORS = {
  ERR_CLIENT_ENVELOPE: {
    kind: 'integrity',
    sentence: 'The envelope is malformed, or meant for another organisation, member or message.',
    hint: 'Nothing is shown; the sender is told. If it repeats, the gateway or the way to it is broken.',
  },
  ERR_CLIENT_CONVERSATION: {
    kind: 'integrity',
    sentence: 'The message belongs to a conversation this device is not in.',
    hint: 'The sender is told; it adds this device again with its next message.',
  },
  ERR_CLIENT_EPOCH: {
    kind: 'integrity',
    sentence: 'The message is from an epoch this device has no keys for, or not the one its envelope names.',
    hint: 'The sender is told; it can send again in the current epoch.',
  },
  ERR_CLIENT_SENDER: {
    kind: 'integrity',
    sentence: 'MLS authenticated another sender than the agent the envelope names.',
    hint: 'Nothing is shown; tell your security team.',
  },
  ERR_CLIENT_AUTHENTICATED_DATA: {
    kind: 'integrity',
    sentence: 'What the sender signed names another message or commitment than the envelope.',
    hint: 'Nothing is shown; tell your security team.',
  },
  ERR_CLIENT_CONTENT: {
    kind: 'integrity',
    sentence: 'The content is not in the form this version reads.',
    hint: 'Update this device; if it is current, the sender has a fault.',
  },
  ERR_CLIENT_COMMITMENT: {
    kind: 'integrity',
    sentence: 'The content is not what the envelope commits to.',
    hint: 'Nothing is shown; tell your security team.',
  },
  ERR_CLIENT_DECRYPT: {
    kind: 'integrity',
    sentence: 'The message does not open: changed, repeated, or from a member whose certificate does not verify.',
    hint: 'Nothing is shown; the sender is told.',
  },
  ERR_CLIENT_WELCOME: {
    kind: 'integrity',
    sentence: 'An invitation to a conversation is not authentic, or not for a key package of this device.',
    hint: 'Nothing to do: the sender adds this device again with a new key package.',
  },
  ERR_CLIENT_COMMIT: {
    kind: 'integrity',
    sentence: 'A change to a conversation was refused.',
    hint: 'Messages of later epochs will be unreadable until this device is added again.',
  },
  ERR_CLIENT_CONFLICT: {
    kind: 'integrity',
    sentence: 'A second, different envelope came under the id of a message this device has.',
    hint: 'The first one stays. If it repeats, tell your security team.',
  },
  ERR_CLIENT_FRAME: {
    kind: 'integrity',
    sentence: 'The gateway sent something sync does not know.',
    hint: 'The connection is made again; if it repeats, update this device.',
  },
  ERR_CLIENT_RECEIPT: {
    kind: 'denied',
    sentence: 'The gateway refused a receipt of this device.',
    hint: 'It is not sent again; the log of the gateway says why.',
  },
  ERR_CLIENT_UNREADABLE: {
    kind: 'denied',
    sentence: 'This message failed a check and cannot be opened.',
    hint: 'Its code says which check; ask the sender to send again.',
  },
  ERR_CLIENT_MESSAGE: {
    kind: 'missing',
    sentence: 'There is no such message on this device.',
    hint: 'List the inbox; ids are those of its messages.',
  },
  ERR_CLIENT_ATTACHMENT_MISSING: {
    kind: 'missing',
    sentence: 'The message has no such attachment.',
    hint: 'Attachments are counted from 0.',
  },
  ERR_CLIENT_ATTACHMENT: {
    kind: 'integrity',
    sentence: 'The attachment is not what the message says: its size, digest or seal does not agree.',
    hint: 'Nothing of it is kept. Try once more; if it repeats, ask the sender to send it again.',
  },
  ERR_CLIENT_NOT_ENROLLED: {
    kind: 'missing',
    sentence: 'This store holds no enrolled device.',
    hint: 'Enrol first, with a code from your administrator.',
  },
  ERR_CLIENT_ENROLLED: {
    kind: 'conflict',
    sentence: 'This store holds an enrolled device already.',
    hint: 'Use another store for another device.',
  },
  ERR_CLIENT_ROOT: {
    kind: 'integrity',
    sentence: 'The organisation’s root certificate is not the one expected.',
    hint: 'Do not go on: compare the fingerprint with your administrator over another way.',
  },
  ERR_CLIENT_TRUST: {
    kind: 'integrity',
    sentence: 'The trust file or the certificate that came with the enrollment does not verify.',
    hint: 'Do not go on: check the address of control, and tell your administrator.',
  },
  ERR_CLIENT_INSECURE: {
    kind: 'invalid',
    sentence: 'Plain HTTP is allowed only to this machine itself.',
    hint: 'Use the https address.',
  },
  ERR_CLIENT_EXPIRED: {
    kind: 'denied',
    sentence: 'This device’s certificate has expired.',
    hint: 'Enrol again with a new code; what was received stays readable here.',
  },
  ERR_CLIENT_AWAY: {
    kind: 'unavailable',
    sentence: 'The server does not answer.',
    hint: 'Check the network and the address, then try again; nothing was lost.',
  },
  ERR_CLIENT_ANSWER: {
    kind: 'integrity',
    sentence: 'The server answered something this version does not understand.',
    hint: 'Check the address; use a device of the same version as the server.',
  },
  ERR_CLIENT_REFUSED: {
    kind: 'denied',
    sentence: 'The gateway refused to sync with this device.',
    hint: 'Its code says why: the device may have been revoked, or its clock may be wrong.',
  },
  ERR_CLIENT_OFFLINE: {
    kind: 'unavailable',
    sentence: 'The device was told to go offline before it was connected.',
    hint: 'Connect again when it should be online.',
  },
  ERR_CLIENT_CLOSED: {
    kind: 'conflict',
    sentence: 'The device is closed.',
    hint: 'Open it again.',
  },
  ERR_CLIENT_KEK: {
    kind: 'invalid',
    sentence: 'The key-encryption key is missing or not a file of exactly 32 bytes.',
    hint: 'Give the file the store was made with; without it the store cannot be opened.',
  },
  ERR_CLIENT_STORE_BUSY: {
    kind: 'conflict',
    sentence: 'Another process has this device’s store open.',
    hint: 'Stop the other one, for example `sealpost device run`, and try again.',
  },
  ERR_CLIENT_STORE: {
    kind: 'unavailable',
    sentence: 'The device’s store cannot be read or written.',
    hint: 'Check permissions and free space; what was stored before is unchanged.',
  },
  ERR_CLIENT_STATE_DAMAGED: {
    kind: 'integrity',
    sentence: 'Something in the device’s store is damaged or was sealed with another key.',
    hint: 'Check that the key-encryption key is the right one; otherwise enrol again in a new store.',
  },
  ERR_CLIENT_STATE_NEWER: {
    kind: 'unavailable',
    sentence: 'The device’s store was written by a newer version of Sealpost.',
    hint: 'Run the version that wrote it, or a later one.',
  },
  ERR_CLIENT_PLATFORM: {
    kind: 'invalid',
    sentence: 'This kind of store does not exist on this platform.',
    hint: 'Use createFileStore in Node and createIndexedDbStore in a browser.',
  },
} as const satisfies ErrorTable;

export type ClientErrorCode = keyof typeof CLIENT_ERRORS;
export const clientError = errorsOf(CLIENT_ERRORS);
