/** Every way the log refuses. */
import { type ErrorTable, errorsOf } from '@sealpost/protocol';

export const LOG_ERRORS = {
  /** Wait; when it stays, the sequencer or its key is in trouble: see the gateway's log. */
  ERR_LOG_STALLED: {
    kind: 'unavailable',
    sentence: 'The log has no checkpoint young enough, so nothing is accepted.',
    hint: 'Try again shortly; nothing was stored.',
  },
  /** The table was tampered with or damaged: nothing is sequenced until somebody looked. */
  ERR_LOG_GAP: {
    kind: 'integrity',
    sentence: 'A lane of the log has a hole.',
    hint: 'Stop the gateway and compare the database with its newest export.',
  },
  ERR_LOG_NO_CHECKPOINT: {
    kind: 'unavailable',
    sentence: 'The log has signed no checkpoint yet.',
    hint: 'Try again in a second.',
  },
  ERR_LOG_TILE_MISSING: {
    kind: 'missing',
    sentence: 'There is no such tile in the log.',
    hint: 'Ask only for tiles of the size a checkpoint states (C2SP tlog-tiles).',
  },
  ERR_LOG_MESSAGE_MISSING: {
    kind: 'missing',
    sentence: 'The log knows no such message.',
    hint: 'Check the message id; a message appears once it was accepted.',
  },
  ERR_LOG_CHECKPOINT_UNKNOWN: {
    kind: 'missing',
    sentence: 'The log signed no such checkpoint.',
    hint: 'Fetch /v1/log/checkpoint, verify that it is consistent with the last one seen, and cosign that.',
  },
  ERR_LOG_COSIGNATURE: {
    kind: 'integrity',
    sentence: 'The note does not hold a valid cosignature of the witness in the trust file.',
    hint: 'Cosign the exact text of the checkpoint with the witness key (C2SP cosignature/v1).',
  },
} as const satisfies ErrorTable;
export const logError = errorsOf(LOG_ERRORS);
