/** Errors of agents. What the gateway shows and does not prove is refused here, before anything is sealed. */
import { type ErrorTable, errorsOf } from '@sealpost/protocol';

export const AGENTS_ERRORS = {
  /** Somebody changed what the gateway serves, or signed what they must not: look at both logs, do not retry. */
  ERR_AGENTS_DIRECTORY: {
    kind: 'integrity',
    sentence: 'The recipient’s directory chain does not verify.',
    hint: 'Nothing was sent. Have an operator compare the gateway’s directory with control’s; `errors` names the check that failed.',
  },
  ERR_AGENTS_EVIDENCE: {
    kind: 'integrity',
    sentence: 'The log does not prove the recipient’s directory entries.',
    hint: 'Nothing was sent. Have an operator verify the gateway’s log with `sealpost log verify`.',
  },
  ERR_AGENTS_EVIDENCE_STALE: {
    kind: 'unavailable',
    sentence: 'The directory was proved only against a checkpoint older than five minutes.',
    hint: 'Try again shortly; if it stays, look at the gateway’s sequencer.',
  },
  ERR_AGENTS_UNSEQUENCED: {
    kind: 'unavailable',
    sentence: 'A change of the recipient’s devices is not in the log yet.',
    hint: 'Try again shortly with the same Idempotency-Key.',
  },
  ERR_AGENTS_NO_DEVICE: {
    kind: 'conflict',
    sentence: 'The recipient has no device that can be reached now.',
    hint: 'Have the recipient enrol a device, or open the app so that it uploads new key packages; then try again.',
  },
  ERR_AGENTS_BUSY: {
    kind: 'unavailable',
    sentence: 'Another process of control holds this conversation.',
    hint: 'Try again shortly with the same Idempotency-Key; nothing was sent.',
  },
  /** The database was put back by other means than `sealpost backup restore`, which begins conversations anew. */
  ERR_AGENTS_STALE: {
    kind: 'integrity',
    sentence: 'The agent’s stored state is not the one the gateway has seen from it, so it must not send.',
    hint: 'Restore control with `sealpost backup restore`, which begins its conversations anew, or the newest copy of both databases.',
  },
  ERR_AGENTS_STATE: {
    kind: 'integrity',
    sentence: 'The agent’s stored state does not open under the keys of this control.',
    hint: 'Restore the key folder that belongs to this database.',
  },
  ERR_AGENTS_COMMIT: {
    kind: 'unavailable',
    sentence: 'The gateway did not take a change of the conversation’s devices.',
    hint: 'Try again shortly with the same Idempotency-Key; nothing was sent.',
  },
} as const satisfies ErrorTable;
export const agentsError = errorsOf(AGENTS_ERRORS);
