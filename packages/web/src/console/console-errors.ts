/** What the console itself has to say; control's own refusals keep their code, sentence and hint. */
import { type ErrorTable, errorsOf } from '@sealpost/protocol';

export const CONSOLE_ERRORS = {
  ERR_CONSOLE_AWAY: {
    kind: 'unavailable',
    sentence: 'Control does not answer.',
    hint: 'The page asks again by itself. What it shows is as of the last answer.',
  },
  ERR_CONSOLE_ANSWER: {
    kind: 'unavailable',
    sentence: 'Control answered something this page does not understand.',
    hint: 'Load the page again: it may be of another version than control.',
  },
  ERR_CONSOLE_ENDED: {
    kind: 'unauthenticated',
    sentence: 'Your session has ended.',
    hint: 'Sign in again with a fresh code.',
  },
  ERR_CONSOLE_TRUST: {
    kind: 'integrity',
    sentence: 'The organisation’s trust file does not verify.',
    hint: 'Nothing is shown that could not be checked. Have an operator compare control’s trust file with the one bootstrap made.',
  },
  ERR_CONSOLE_HEAD: {
    kind: 'integrity',
    sentence: 'The log’s newest head is not signed by the log’s key.',
    hint: 'Stop and look: compare the gateway’s key with the trust file.',
  },
} as const satisfies ErrorTable;
export const consoleError = errorsOf(CONSOLE_ERRORS);
