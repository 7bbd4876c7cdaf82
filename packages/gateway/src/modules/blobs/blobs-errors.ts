/** Every way blobs are refused. */
import { type ErrorTable, errorsOf } from '@sealpost/protocol';

export const BLOBS_ERRORS = {
  /** Also what a device gets that may not fetch it: who may not know cannot tell whether it is there. */
  ERR_BLOBS_MISSING: {
    kind: 'missing',
    sentence: 'There is no such blob for this device.',
    hint: 'Fetch only blobs named by an envelope this device received.',
  },
  ERR_BLOBS_DIGEST: {
    kind: 'integrity',
    sentence: 'The bytes are not those of the blob id.',
    hint: 'Put the sealed bytes under their own SHA-256; nothing was stored.',
  },
  ERR_BLOBS_TOO_LARGE: {
    kind: 'too-large',
    sentence: 'A blob is at most 32 MB.',
    hint: 'Send a link instead, or split the attachment.',
  },
  ERR_BLOBS_INCOMPLETE: {
    kind: 'invalid',
    sentence: 'The upload ended before its end.',
    hint: 'Put the blob again; nothing was stored.',
  },
} as const satisfies ErrorTable;
export const blobsError = errorsOf(BLOBS_ERRORS);
