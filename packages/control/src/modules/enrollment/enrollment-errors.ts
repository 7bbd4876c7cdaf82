/** Errors of enrollment and revocation. A code that is unknown, used up or lapsed answers alike to whoever guesses. */
import { type ErrorTable, errorsOf } from '@sealpost/protocol';

export const ENROLLMENT_ERRORS = {
  ERR_ENROLLMENT_CODE: {
    kind: 'denied',
    sentence: 'This enrollment code is not valid.',
    hint: 'Check it letter by letter, or ask for a new invitation: codes live ten minutes and are used once.',
  },
  ERR_ENROLLMENT_USED: {
    kind: 'conflict',
    sentence: 'This enrollment code has been used by another device.',
    hint: 'Ask for a new invitation. If you did not use the code, tell your security team.',
  },
  ERR_ENROLLMENT_KEY: {
    kind: 'conflict',
    sentence: 'This key belongs to a device of another member.',
    hint: 'Make a new key on this device and enrol again.',
  },
  ERR_ENROLLMENT_LIMITED: {
    kind: 'limited',
    sentence: 'Too many enrollment attempts failed.',
    hint: 'Wait for Retry-After, then use a fresh invitation.',
  },
  ERR_ENROLLMENT_POSSESSION: {
    kind: 'invalid',
    sentence: 'The certificate request does not prove possession of a P-256 key.',
    hint: 'Send a PKCS#10 request signed with the device’s own key (ECDSA P-256, SHA-256).',
  },
  ERR_ENROLLMENT_INVITE: {
    kind: 'invalid',
    sentence: 'An invitation must end in the future and within ten minutes.',
    hint: 'Make a new invitation with `sealpost device invite`.',
  },
  ERR_ENROLLMENT_DEVICE: {
    kind: 'missing',
    sentence: 'This member has no such device.',
    hint: 'List the member’s devices with GET /v1/directory/:member.',
  },
  ERR_ENROLLMENT_DIRECTORY: {
    kind: 'unavailable',
    sentence: 'The gateway’s directory did not take the change.',
    hint: 'Try again; if it stays, compare the member’s chain at the gateway with control’s: they must not differ.',
  },
} as const satisfies ErrorTable;
export const enrollmentError = errorsOf(ENROLLMENT_ERRORS);
