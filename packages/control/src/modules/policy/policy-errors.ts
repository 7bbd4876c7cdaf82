/** Errors of policy. A refusal says that policy denies, never which attribute would have helped. */
import { type ErrorTable, errorsOf } from '@sealpost/protocol';

export const POLICY_ERRORS = {
  ERR_POLICY_DENIED: {
    kind: 'denied',
    sentence: 'Policy does not allow this.',
    hint: 'Ask the owner of the flow; the decision and the policies behind it are in control’s log.',
  },
  ERR_POLICY_INVALID: {
    kind: 'invalid',
    sentence: 'The policies do not validate against the schema and were not loaded.',
    hint: 'Correct them with `sealpost plan`, which names file, line and column.',
  },
} as const satisfies ErrorTable;
export const policyError = errorsOf(POLICY_ERRORS);
