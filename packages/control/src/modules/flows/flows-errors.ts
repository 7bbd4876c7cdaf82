/** Errors of flows: why a bundle is not taken, and why a flow cannot be used. */
import { type ErrorTable, errorsOf } from '@sealpost/protocol';

export const FLOWS_ERRORS = {
  ERR_FLOWS_OPERATOR: {
    kind: 'denied',
    sentence: 'Only approvers may ask how vendors stand.',
    hint: 'Ask with a token of scope operator (`sealpost control …` does).',
  },
  ERR_FLOWS_UNKNOWN: {
    kind: 'missing',
    sentence: 'There is no such flow in the running bundle.',
    hint: 'Check the name, or apply a bundle that declares it with `sealpost apply`.',
  },
  ERR_FLOWS_SIGNATURE: {
    kind: 'integrity',
    sentence: 'The bundle is not signed by an operator of this organisation, or was changed after signing.',
    hint: 'Compile and sign it again with an operator’s key that the trust file names.',
  },
  ERR_FLOWS_ORGANISATION: {
    kind: 'invalid',
    sentence: 'The bundle is of another organisation.',
    hint: 'Compile it for the organisation this control serves.',
  },
  ERR_FLOWS_EXPIRED: {
    kind: 'invalid',
    sentence: 'The bundle has expired.',
    hint: 'Compile and sign it again.',
  },
  ERR_FLOWS_VERSION: {
    kind: 'conflict',
    sentence: 'A bundle of this version or a newer one is running.',
    hint: 'Compile with a version above the running one; versions never go back.',
  },
  ERR_FLOWS_FLOOR: {
    kind: 'denied',
    sentence: 'A flow of the bundle has a ladder step below its floor, or no step that carries its content.',
    hint: 'Correct the flow’s ladder or its floor, then compile again.',
  },
  ERR_FLOWS_REFERENCES: {
    kind: 'invalid',
    sentence: 'A flow of the bundle names an agent the bundle does not hold, or a name stands twice.',
    hint: 'Compile the manifests with `sealpost plan`; it names the places.',
  },
  ERR_FLOWS_POLICIES: {
    kind: 'invalid',
    sentence: 'The policies of the bundle do not validate against the schema.',
    hint: 'Correct them with `sealpost plan`, which names file, line and column.',
  },
} as const satisfies ErrorTable;
export const flowsError = errorsOf(FLOWS_ERRORS);
