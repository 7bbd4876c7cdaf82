/** Every way intake refuses an envelope or a whole submission. Nothing is stored of what is refused. */
import { type ErrorCode, type ErrorTable, errorsOf, PROTOCOL_ERRORS, SealpostError } from '@sealpost/protocol';

export const ENVELOPES_ERRORS = {
  ERR_ENVELOPES_SIGNATURE: {
    kind: 'integrity',
    sentence: 'The submission is not what control signed for this gateway.',
    hint: 'Sign the batch again with the submit key in the trust file; do not resend these bytes.',
  },
  ERR_ENVELOPES_STALE: {
    kind: 'conflict',
    sentence: 'The signed statement of the submission has expired.',
    hint: 'Sign the same envelopes in a new batch; their ids stay the same.',
  },
  ERR_ENVELOPES_CONFLICT: {
    kind: 'conflict',
    sentence: 'This message id was used for another envelope.',
    hint: 'Send the bytes that were first accepted, or use a new message id.',
  },
  ERR_ENVELOPES_ORGANISATION: {
    kind: 'denied',
    sentence: 'The envelope belongs to another organisation.',
    hint: 'Submit it at the gateway of its own organisation.',
  },
  ERR_ENVELOPES_FLOW: {
    kind: 'missing',
    sentence: 'The running bundle has no such flow.',
    hint: 'Apply a bundle that holds the flow, or correct its name.',
  },
  ERR_ENVELOPES_SENDER: {
    kind: 'denied',
    sentence: 'The sender is not the agent of this flow.',
    hint: 'Send as the agent that the flow names.',
  },
  ERR_ENVELOPES_FLOOR: {
    kind: 'denied',
    sentence: 'The envelope states another floor or a lower classification than its flow.',
    hint: 'Seal it again under the running bundle.',
  },
  ERR_ENVELOPES_LIFETIME: {
    kind: 'invalid',
    sentence: 'The envelope lives longer than its flow allows, or was created in the future.',
    hint: 'Set expires within the lifetime of the flow, counted from created; check the clock.',
  },
  ERR_ENVELOPES_EXPIRED: {
    kind: 'conflict',
    sentence: 'The envelope has expired.',
    hint: 'Do not retry; the message was worth sending only until then.',
  },
  ERR_ENVELOPES_PARTS: {
    kind: 'invalid',
    sentence: 'The parts of the envelope do not fit together.',
    hint: 'Send one device part, at most one carrier part a channel and use, sealed to the dispatch key in the trust file.',
  },
  ERR_ENVELOPES_ROUTE: {
    kind: 'invalid',
    sentence: 'The envelope has a part for a route that the flow does not have.',
    hint: 'Seal only the forms that the ladder of the flow names.',
  },
  ERR_ENVELOPES_FRAME: {
    kind: 'integrity',
    sentence: 'The sealed content is not an application message of this conversation, epoch, message and commitment.',
    hint: 'Seal it again; the envelope and the MLS message must name the same things.',
  },
  ERR_ENVELOPES_CONVERSATION: {
    kind: 'missing',
    sentence: 'There is no such conversation.',
    hint: 'Create it first.',
  },
  ERR_ENVELOPES_MEMBERSHIP: {
    kind: 'denied',
    sentence: 'The conversation is not one of this sender with this recipient.',
    hint: 'Use the conversation that the sender created and that holds a device of the recipient.',
  },
  ERR_ENVELOPES_EPOCH: {
    kind: 'conflict',
    sentence: 'The content was sealed in an epoch that the conversation has left or must leave.',
    hint: 'Take in the newest commit, remove revoked devices, and seal again under a new message id.',
  },
  ERR_ENVELOPES_BLOB: {
    kind: 'missing',
    sentence: 'The envelope names an attachment that was not uploaded.',
    hint: 'Upload the blob first, then submit again.',
  },
  ERR_ENVELOPES_NO_BUNDLE: {
    kind: 'unavailable',
    sentence: 'The gateway runs no bundle that is in force.',
    hint: 'Apply one, then submit again.',
  },
  ERR_ENVELOPES_BUSY: {
    kind: 'unavailable',
    sentence: 'More is waiting to be stored than the gateway takes on.',
    hint: 'Try again shortly; nothing was stored.',
  },
  ERR_ENVELOPES_STORE: {
    kind: 'unavailable',
    sentence: 'The envelope could not be stored.',
    hint: 'Submit the same bytes again: if they were stored after all, the answer is the same.',
  },
} as const satisfies ErrorTable;
export const envelopesError = errorsOf(ENVELOPES_ERRORS);

/** Codes a single envelope is refused with, the two shared ones among them. */
export type RefusalCode = (keyof typeof ENVELOPES_ERRORS | keyof typeof PROTOCOL_ERRORS) & ErrorCode;

const TABLE: Readonly<Record<RefusalCode, (typeof ENVELOPES_ERRORS & typeof PROTOCOL_ERRORS)[RefusalCode]>> = {
  ...ENVELOPES_ERRORS,
  ...PROTOCOL_ERRORS,
};

/** The problem of an envelope at its place in the submission. */
export function refusalError(code: RefusalCode, index: number): SealpostError {
  const row = TABLE[code];
  const details = [{ pointer: `/envelopes/${index}`, detail: row.sentence }];
  return new SealpostError(code, row, row.kind === 'unavailable' ? { details, retryAfter: 1 } : { details });
}
