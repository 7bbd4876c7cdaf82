/** Errors of alerts. Those of links never fail an alert: their code stands in the message instead of the attachment. */
import { type ErrorTable, errorsOf } from '@sealpost/protocol';

export const ALERTS_ERRORS = {
  ERR_ALERTS_SENDER: {
    kind: 'denied',
    sentence: 'Only a registered alert sender may post alerts.',
    hint: 'Send the secret from `sealpost control alert-sender-add`, as Authorization: Bearer.',
  },
  ERR_ALERTS_LINK_URL: {
    kind: 'invalid',
    sentence: 'The link is not an http or https address without credentials.',
    hint: 'Correct the annotation.',
  },
  ERR_ALERTS_LINK_HOST: {
    kind: 'denied',
    sentence: 'The flow does not allow this host and port.',
    hint: 'Add it to the flow’s links.hosts.',
  },
  ERR_ALERTS_LINK_ADDRESS: {
    kind: 'denied',
    sentence: 'The host’s name leads to an address that must not be asked.',
    hint: 'If that is meant, set private: true on the host in links.hosts.',
  },
  ERR_ALERTS_LINK_REDIRECT: {
    kind: 'denied',
    sentence: 'The host redirects more often than the flow allows.',
    hint: 'Link to the final address, or raise links.maxRedirects.',
  },
  ERR_ALERTS_LINK_SIZE: {
    kind: 'too-large',
    sentence: 'What the link leads to is larger than the flow allows.',
    hint: 'Link to something smaller, or raise links.maxBytes.',
  },
  ERR_ALERTS_LINK_TIME: {
    kind: 'unavailable',
    sentence: 'The link took longer than the flow allows.',
    hint: 'Make the host faster, or raise links.timeout.',
  },
  ERR_ALERTS_LINK_TYPE: {
    kind: 'media-type',
    sentence: 'What the link leads to is not of a type the flow allows, judged by its first bytes.',
    hint: 'Link to a file of links.types.',
  },
  ERR_ALERTS_LINK_STATUS: {
    kind: 'unavailable',
    sentence: 'The host did not answer with the file.',
    hint: 'Open the link yourself, without a login.',
  },
  ERR_ALERTS_LINK_FAILED: {
    kind: 'unavailable',
    sentence: 'The host could not be reached.',
    hint: 'Check name, port and certificate.',
  },
} as const satisfies ErrorTable;
export const alertsError = errorsOf(ALERTS_ERRORS);
export type LinkCode = Extract<keyof typeof ALERTS_ERRORS, `ERR_ALERTS_LINK_${string}`>;
