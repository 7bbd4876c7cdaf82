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
    hint: 'Sign a JWT (EdDSA) with the registered key: iss and sub the application, iat, exp, a fresh jti.',
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
    hint: 'Ask for flow:<name> with a flow the application is registered for, or operator with an approver’s key.',
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
