/** Errors of subscriptions. */
import { type ErrorTable, errorsOf } from '@sealpost/protocol';

export const SUBSCRIPTIONS_ERRORS = {
  ERR_SUBSCRIPTIONS_APPLICATION: {
    kind: 'denied',
    sentence: 'Only an application subscribes to events.',
    hint: 'Use a token of a registered application.',
  },
  ERR_SUBSCRIPTIONS_URL: {
    kind: 'invalid',
    sentence: 'The address is not https, or holds credentials or a fragment.',
    hint: 'Name an https address; the signature of each delivery says who sends.',
  },
  ERR_SUBSCRIPTIONS_FLOW: {
    kind: 'denied',
    sentence: 'The token is not for this flow.',
    hint: 'Ask for a token with scope flow:<name> of that flow.',
  },
  ERR_SUBSCRIPTIONS_MISSING: {
    kind: 'missing',
    sentence: 'There is no such subscription of this application, or no such dead letter.',
    hint: 'List the subscriptions and their dead letters.',
  },
  ERR_SUBSCRIPTIONS_MANY: {
    kind: 'conflict',
    sentence: 'An application has at most 20 subscriptions.',
    hint: 'Delete one that is no longer needed.',
  },
  ERR_SUBSCRIPTIONS_SEALED: {
    kind: 'integrity',
    sentence: 'A stored secret or event cannot be opened with the storage key.',
    hint: 'Restore the key folder that belongs to this database.',
  },
} as const satisfies ErrorTable;
export const subscriptionsError = errorsOf(SUBSCRIPTIONS_ERRORS);
