/** Errors of identity. None says whether a name exists: whoever cannot prove a key learns nothing from the answer. */
import { type ErrorTable, errorsOf } from '@sealpost/protocol';

export const IDENTITY_ERRORS = {
  ERR_IDENTITY_UNAUTHENTICATED: {
    kind: 'unauthenticated',
    sentence: 'The request carries no valid credential.',
    hint: 'Send Authorization: Bearer with a token from POST /v1/token, or an alert sender’s secret.',
  },
  ERR_IDENTITY_ASSERTION: {
    kind: 'unauthenticated',
    sentence: 'The client assertion does not prove a registered key.',
    hint: 'Sign a JWT with the registered key (EdDSA; ES256 for a console session): iss and sub its name, iat, exp, a fresh jti.',
  },
  ERR_IDENTITY_AUDIENCE: {
    kind: 'unauthenticated',
    sentence: 'The client assertion is meant for somebody else.',
    hint: 'Set aud to this server’s token URL or to `control`.',
  },
  ERR_IDENTITY_EXPIRED: {
    kind: 'unauthenticated',
    sentence: 'The client assertion has expired, is not valid yet, or lives longer than five minutes.',
    hint: 'Make a new one with exp at most five minutes ahead, and check the clock.',
  },
  ERR_IDENTITY_REPLAYED: {
    kind: 'unauthenticated',
    sentence: 'The client assertion has been used before.',
    hint: 'Make a new assertion with a fresh jti for each token.',
  },
  ERR_IDENTITY_SCOPE: {
    kind: 'denied',
    sentence: 'This key may not have that scope.',
    hint: 'Ask for flow:<name> with a flow the application is registered for, operator with an approver’s key, or console at the console.',
  },
  ERR_IDENTITY_APPROVAL: {
    kind: 'denied',
    sentence: 'The approval does not allow this.',
    hint: 'Have an approver sign exactly this object for this action.',
  },
  ERR_IDENTITY_APPROVAL_EXPIRED: {
    kind: 'denied',
    sentence: 'The approval has expired or is not valid yet.',
    hint: 'Have an approver sign again.',
  },
  ERR_IDENTITY_CODE: {
    kind: 'denied',
    sentence: 'This sign-in code is not valid.',
    hint: 'Check it letter by letter, or make a new one with `sealpost control console-invite`: codes live ten minutes.',
  },
  ERR_IDENTITY_CODE_USED: {
    kind: 'conflict',
    sentence: 'This sign-in code has been used by another browser.',
    hint: 'Make a new one. If nobody of yours used it, end the sessions it opened and tell your security team.',
  },
  ERR_IDENTITY_CODE_LIMITED: {
    kind: 'limited',
    sentence: 'Too many sign-in attempts failed.',
    hint: 'Wait for Retry-After, then use a fresh code.',
  },
  ERR_IDENTITY_CODE_LIFETIME: {
    kind: 'invalid',
    sentence: 'A sign-in code must end in the future and within ten minutes.',
    hint: 'Make a new one with `sealpost control console-invite`, and check the clock.',
  },
  ERR_IDENTITY_KEY: {
    kind: 'invalid',
    sentence: 'The public key is no key of P-256.',
    hint: 'Send the public JWK of a fresh ECDSA P-256 key.',
  },
  ERR_IDENTITY_MEMBER: {
    kind: 'missing',
    sentence: 'No such member is registered.',
    hint: 'Register the member first with POST /v1/members.',
  },
  ERR_IDENTITY_PHONE: {
    kind: 'integrity',
    sentence: 'A stored contact address does not open under this control’s storage key.',
    hint: 'Restore the key folder that belongs to this database; do not register over it before you know why.',
  },
} as const satisfies ErrorTable;
export const identityError = errorsOf(IDENTITY_ERRORS);
