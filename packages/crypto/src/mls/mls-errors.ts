/**
 * What the MLS engine throws: broken calls, broken stored state and peers' material the caller chose to use (a key
 * package, a welcome). What a peer can cause through `receive` is a value there, never one of these.
 */
import { type ErrorTable, errorsOf } from '@sealpost/protocol';

export const MLS_ERRORS = {
  ERR_MLS_CREDENTIAL: {
    kind: 'integrity',
    sentence: 'A certificate in this group does not verify, or does not certify the key that signs.',
    hint: 'Fetch fresh key packages or a fresh welcome; report the member if it repeats.',
  },
  ERR_MLS_KEY_PACKAGE: {
    kind: 'integrity',
    sentence: 'A key package is malformed, out of its lifetime, or not signed by the device it names.',
    hint: 'Claim another key package of that device and drop this one.',
  },
  ERR_MLS_WELCOME: {
    kind: 'integrity',
    sentence: 'The welcome or the ratchet tree beside it is not authentic.',
    hint: 'Ask a member to add this device again with a new key package.',
  },
  ERR_MLS_IDENTITY: {
    kind: 'invalid',
    sentence: 'The given identity is not the one this group state or key package belongs to.',
    hint: 'Pass the certificate chain and signer of the device that joined; a new key joins as a new leaf.',
  },
  ERR_MLS_CHANGE: {
    kind: 'conflict',
    sentence: 'The change cannot be committed to this group.',
    hint: 'Remove only present members other than yourself and add only devices that are not in the group.',
  },
  ERR_MLS_TOO_LARGE: {
    kind: 'too-large',
    sentence: 'The content is larger than one group message may be.',
    hint: 'Send it as an attachment.',
  },
  ERR_MLS_LIFETIME: {
    kind: 'invalid',
    sentence: 'A key package must start before it ends and live 90 days at most.',
    hint: 'Choose a shorter lifetime and renew key packages before they end.',
  },
  ERR_MLS_STATE: {
    kind: 'integrity',
    sentence: 'The stored group state is damaged, or the ratchet beside it belongs to another epoch.',
    hint: 'Do not send with it: restore the newest snapshot and ratchet, or join the group again.',
  },
  ERR_MLS_STATE_NEWER: {
    kind: 'unavailable',
    sentence: 'The stored group state was written by a newer version of Sealpost.',
    hint: 'Run the version that wrote it, or a later one.',
  },
} as const satisfies ErrorTable;

export const mlsError = errorsOf(MLS_ERRORS);
