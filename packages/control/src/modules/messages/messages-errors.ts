/** Errors of messages. */
import { type ErrorTable, errorsOf } from '@sealpost/protocol';

export const MESSAGES_ERRORS = {
  ERR_MESSAGES_KEY: {
    kind: 'invalid',
    sentence: 'The request needs one header Idempotency-Key of 1 to 128 printable ASCII characters.',
    hint: 'Choose a key for each message and repeat it when you repeat the request.',
  },
  ERR_MESSAGES_KEY_USED: {
    kind: 'conflict',
    sentence: 'This Idempotency-Key was used for another request.',
    hint: 'Send the first request again unchanged, or choose a new key for a new message.',
  },
  ERR_MESSAGES_TEXT: {
    kind: 'invalid',
    sentence: 'The content is not well-formed Unicode.',
    hint: 'Send text without lone surrogates.',
  },
  ERR_MESSAGES_TOO_LARGE: {
    kind: 'too-large',
    sentence: 'The content is larger than one message may be.',
    hint: 'Send at most 240,000 bytes of UTF-8 in all.',
  },
  ERR_MESSAGES_ROUTE: {
    kind: 'invalid',
    sentence: 'The flow has no such route, or none that can carry its content.',
    hint: 'Leave the route out, or name a channel and use of the flow’s ladder.',
  },
  ERR_MESSAGES_MISSING: {
    kind: 'missing',
    sentence: 'There is no such message.',
    hint: 'Check the message id; only the application that sent a message, or an approver, may read its state.',
  },
  ERR_MESSAGES_OPERATOR: {
    kind: 'denied',
    sentence: 'Only an approver may read this.',
    hint: 'Get a token of scope operator with an approver’s key.',
  },
  /** The gateway answers with signatures that are not its own: stop and look. */
  ERR_MESSAGES_RECEIPT: {
    kind: 'integrity',
    sentence: 'The gateway’s promise does not verify.',
    hint: 'Do not count the message as sent. Have an operator check the gateway’s keys against the trust file, then repeat.',
  },
  ERR_MESSAGES_REFUSED: {
    kind: 'conflict',
    sentence: 'The gateway refused the envelope.',
    hint: 'See `errors` for its code.',
  },
} as const satisfies ErrorTable;
export const messagesError = errorsOf(MESSAGES_ERRORS);
