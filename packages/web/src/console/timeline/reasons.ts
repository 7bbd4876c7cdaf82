/**
 * Every reason the gateway, the dispatcher and the adapters put on a timeline, in a sentence. A reason that is not here is
 * shown as it stands: a provider may say what nobody has met before.
 */

/** Why a step of the ladder was taken or passed over (gateway: routing/step-decision.ts). */
export const STEP_REASONS: Readonly<Record<string, string>> = {
  due: 'Its time had come and no device had confirmed the message.',
  'below-floor': 'On this route the content would be protected less than the flow demands.',
  expired: 'The message had expired.',
  delivered: 'A device had already confirmed the message, so nobody needed a further notice.',
  'notice-delivered': 'A provider had already confirmed an earlier notice.',
  'no-device': 'The conversation has no device to deliver to.',
  'no-form': 'The message carries nothing sealed for this channel.',
  'quiet-hours': 'It is quiet time for this flow; the step waits for its end.',
  'quiet-until-expiry': 'It is quiet time for this flow until after the message expires.',
  'not-rolled-out': 'This channel is not yet open to this person.',
  'vendor-closed': 'An operator has closed every provider account of this channel.',
  'vendor-expired': 'Every provider account of this channel has expired.',
  'no-capability': 'The provider does not reach this person now.',
};

/** How it ended (gateway: delivery/machine.ts). */
export const END_REASONS: Readonly<Record<string, string>> = {
  'read-by-device': 'A device of the recipient has read it. Nothing more is sent.',
  'delivered-unread': 'A device had it, and nobody had read it in time.',
  'reached-no-device': 'No device had confirmed it in time.',
  'notice-delivered': 'A provider had confirmed the notice, and no device had the message in time.',
  'notice-unconfirmed': 'A provider took the notice and never said what became of it.',
  'notice-ambiguous': 'Nobody could say whether a provider took the notice.',
  'no-device': 'The recipient has no enrolled device.',
  'taken-back-by-sender': 'Who sent it, or an approver, took it back.',
};

/** Short codes of the dispatcher and the adapters, word for word. */
const TRY_REASONS: Readonly<Record<string, string>> = {
  accepted: '',
  withdrawn: 'It was no longer needed, and was withdrawn before it was made.',
  expired: 'The message had expired before the try could be made.',
  interrupted: 'The dispatcher was stopped during the try and cannot know whether the provider acted.',
  ERR_ROUTING_BELOW_FLOOR: 'The dispatcher refused it: the content would be protected less than the flow demands.',
  'vendor-not-configured': 'The dispatcher has no such provider account.',
  'vendor-has-other-adapter': 'The dispatcher’s provider account is of another kind than the bundle says.',
  'vendor-closed': 'An operator has closed this provider account; nothing was sent.',
  'circuit-open': 'The provider was failing; nothing was sent, it is asked again when its pause is over.',
  'rate-limited': 'A limit was reached; nothing was sent yet.',
  'database-away': 'The dispatcher could not ask the database; nothing was sent.',
  'no-capability': 'The provider does not reach this person.',
  'unanswered-in-time': 'No answer came within an hour, and nobody asks any longer.',
  'cannot-be-taken-back': 'The dispatcher’s provider account takes nothing back.',
  'capability-lost': 'The provider reached this person before and does not any more.',
  'unreadable-attempt': 'The dispatcher could not read what the gateway recorded for it.',
  'adapter-failed': 'The adapter failed in the middle, so it is unknown whether the provider acted.',
  'form-mismatch': 'What was sealed for this channel is not what the step allows.',
  'form-key': 'What was sealed for this channel is for another dispatch key.',
  'form-malformed': 'What was sealed for this channel is malformed.',
  'form-not-authentic': 'What was sealed for this channel was changed or is not for this message.',
  'expires too soon to send': 'It would have expired before the provider could deliver it.',
  'expired before it was sent': 'It had expired before it could be sent.',
  '401 with a fresh token': 'The provider refused a token it had just issued.',
  '200 without our message': 'The provider answered, but not about this message.',
  'token answer malformed': 'The provider’s token service answered something unreadable.',
  'service account file unreadable': 'The dispatcher cannot read the provider’s service account.',
  'service account key unusable': 'The key in the provider’s service account cannot sign.',
  'text too long': 'The notice is longer than this channel takes.',
  'text-too-long': 'It is longer than this channel takes.',
  'not on RCS': 'This number is not on RCS now.',
  'no iMessage': 'This address is not on iMessage.',
  'has not written first': 'Apple lets a business write only to people who wrote to it first.',
  'secret file unreadable': 'The dispatcher cannot read or use the secret it shares with the provider.',
  'no Signal address': 'What was to be reached is no phone number and no Signal account.',
  'not on Signal': 'This number is not on Signal.',
  'older than a day': 'Signal deletes only what was sent less than a day ago.',
  '201 without our message': 'The provider took it and named no message.',
  'no subscription': 'What was to be reached is no push subscription.',
  'no point of the curve': 'The push subscription’s key is no key.',
  'no message id': 'The provider took it and named no message.',
  'ok without a message': 'The provider said yes and named no message.',
  'upload without an id': 'The provider took the file and gave it no name.',
  'template answer malformed': 'The provider’s answer about a template was unreadable.',
  'no mail address': 'What was to be reached is no mail address this channel takes.',
  'larger than the relay takes': 'The mail is larger than our mail relay takes.',
  'no way to sign in': 'Our mail relay offers no way to sign in with the name and password at hand.',
  'password or authority file unreadable':
    'The dispatcher cannot read the relay’s password or the authority of its certificate.',
  'no conversation': 'What was to be reached is no person and no conversation in Teams.',
  'no workflow of that name': 'The dispatcher knows no workflow of that name.',
  'workflow URL file unreadable': 'The dispatcher cannot read the workflow’s URL.',
  'not the URL of a workflow': 'What stands as the workflow’s URL is none; retired connector URLs are refused.',
  'client secret file unreadable': 'The dispatcher cannot read the bot’s client secret.',
  'access token file unreadable': 'The dispatcher cannot read the provider’s access token.',
  'api key file unreadable': 'The dispatcher cannot read the provider’s API key.',
  'bot token file unreadable': 'The dispatcher cannot read the bot’s token.',
  'key secret file unreadable': 'The dispatcher cannot read the provider’s key secret.',
  'password file unreadable': 'The dispatcher cannot read the provider’s password.',
  'private key file unreadable': 'The dispatcher cannot read its private key for the provider.',
  'private key file unusable': 'The dispatcher’s private key for the provider cannot sign.',
  'secret access key file unreadable': 'The dispatcher cannot read the provider’s secret key.',
  'empty text': 'The notice has no text.',
  'window full': 'Too many texts were waiting for the SMS centre’s answer.',
  'not writable': 'The connection to the SMS centre was closing.',
  'not started': 'The connection to the SMS centre was not up yet.',
  'no connection': 'The SMS centre could not be reached.',
  'response timeout': 'The SMS centre did not answer in time.',
  closing: 'The connection to the SMS centre was being closed.',
  'unbind unanswered': 'The SMS centre did not answer the farewell.',
  'bind failed': 'The SMS centre did not let us in.',
  'password file unreadable or too long': 'The dispatcher cannot use the SMS centre’s password.',
};

/** SMPP 3.4 section 5.1.3, as far as the adapter names them. */
const SMPP_STATUS: Readonly<Record<string, string>> = {
  ESME_RINVBNDSTS: 'the session is not in a state to send',
  ESME_RALYBND: 'the session is bound already',
  ESME_RSYSERR: 'a system error at the SMS centre',
  ESME_RINVSRCADR: 'the sender’s address is not valid',
  ESME_RINVDSTADR: 'the recipient’s address is not valid',
  ESME_RBINDFAIL: 'the bind failed',
  ESME_RINVPASWD: 'the password is wrong',
  ESME_RINVSYSID: 'the system id is wrong',
  ESME_RMSGQFUL: 'its queue is full',
  ESME_RSUBMITFAIL: 'submitting failed',
  ESME_RTHROTTLED: 'we send too fast',
  ESME_RINVSCHED: 'the time of delivery is not valid',
  ESME_RINVEXPIRY: 'the time of expiry is not valid',
  ESME_RX_T_APPN: 'a temporary error of the receiver',
  ESME_RX_P_APPN: 'a permanent error of the receiver',
  ESME_RX_R_APPN: 'the receiver refused it',
  ESME_RSERTYPUNAUTH: 'this service is not allowed to us',
  ESME_RPROHIBITED: 'this is not allowed to us',
};

/** What providers say of a notice later: RCS events, SMPP `stat` words. Empty where the status says it all. */
const RECEIPT_REASONS: Readonly<Record<string, string>> = {
  DELIVERED: '',
  READ: '',
  TTL_EXPIRATION_REVOKED: '',
  TTL_EXPIRATION_REVOKE_FAILED: 'It could not be taken back, so it may still arrive.',
  DELIVRD: '',
  EXPIRED: '',
  DELETED: 'The SMS centre deleted it.',
  UNDELIV: 'The SMS centre cannot deliver it.',
  UNKNOWN: 'The SMS centre does not know what became of it.',
  REJECTD: 'The SMS centre rejected it.',
};

type Pattern = readonly [RegExp, (found: readonly string[]) => string];

const PATTERNS: readonly Pattern[] = [
  [/^connection (\S+)$/, ([, code]) => `The provider could not be reached (${code}); nothing had left us.`],
  [/^no answer (\S+)$/, ([, code]) => `The request had left us and no answer came (${code}).`],
  [
    /^before the mail (\S+)$/,
    ([, code]) => `The talk with our mail relay broke off before the mail was given (${code}).`,
  ],
  [/^signal-cli (.+)$/, ([, what]) => `Our Signal server answered ${what}.`],
  [/^token endpoint (.+)$/, ([, what]) => `The provider’s token service did not give a token (${what}).`],
  [/^after part (\d+): (.+)$/, ([, part, why = '']) => `Part ${part} was taken; then: ${tryReason(why)}`],
  [/^bind (.+)$/, ([, why = '']) => `Signing in at the SMS centre failed. ${tryReason(why)}`],
  [/^(ESME_\w+)$/, ([, code = '']) => `The SMS centre says: ${SMPP_STATUS[code] ?? code} (${code}).`],
  [/^command_status (0x[0-9a-f]+)$/, ([, code]) => `The SMS centre answered with status ${code}.`],
  [
    /^([1-5]\d\d)\b ?(.*)$/,
    ([, status, rest = '']) => `The provider answered ${[status, rest].filter(Boolean).join(' ')}.`,
  ],
];

/** The sentence of a try's reason; empty when there is nothing to add. */
export function tryReason(reason: string): string {
  const known = TRY_REASONS[reason];
  if (known !== undefined) return known;
  for (const [pattern, words] of PATTERNS) {
    const found = pattern.exec(reason);
    if (found !== null) return words(found);
  }
  return asItStands(reason);
}

/** What a provider's receipt adds to its status. */
export function receiptReason(code: string): string {
  // SMPP appendix B: the word of the state, then the network's own error number, of which 0 is none.
  const [, state = code, error] = /^([A-Z]{7})(?: (\w+))?$/.exec(code) ?? [];
  const known = RECEIPT_REASONS[state] ?? (code === '' ? '' : asItStands(state));
  const numbered = error === undefined || /^0+$/.test(error) ? '' : `The network’s error is ${error}.`;
  return `${known} ${numbered}`.trim();
}

export function asItStands(reason: string): string {
  return `The reason given is “${reason}”.`;
}
