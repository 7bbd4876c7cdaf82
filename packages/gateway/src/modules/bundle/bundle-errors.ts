/** Every way a bundle is refused. Nothing changes when one is. */
import { type ErrorTable, errorsOf } from '@sealpost/protocol';

export const BUNDLE_ERRORS = {
  ERR_BUNDLE_SIGNATURE: {
    kind: 'integrity',
    sentence: 'The bundle is not one that an operator of this organisation signed.',
    hint: 'Compile and sign it again with `sealpost apply`, using a key the trust file lists under operators.',
  },
  ERR_BUNDLE_APPROVAL: {
    kind: 'denied',
    sentence: 'The approval does not cover this bundle.',
    hint: 'Have an approver other than the signing operator approve exactly this bundle, and send both before the approval expires.',
  },
  ERR_BUNDLE_ORGANISATION: {
    kind: 'denied',
    sentence: 'The bundle belongs to another organisation.',
    hint: 'Apply it at the gateway of its own organisation.',
  },
  ERR_BUNDLE_VERSION: {
    kind: 'conflict',
    sentence: 'The gateway runs this version with other content, or a newer one.',
    hint: 'Fetch the current version, compile with a higher one and have it approved.',
  },
  ERR_BUNDLE_EXPIRED: {
    kind: 'conflict',
    sentence: 'The bundle has expired.',
    hint: 'Compile, sign and approve a new version.',
  },
  /** The floor rule itself: such a bundle should never have been compiled. */
  ERR_BUNDLE_BELOW_FLOOR: {
    kind: 'denied',
    sentence: 'A flow of the bundle has a step below its floor, or no step that carries its content.',
    hint: 'Correct the flows named in `errors`; `sealpost plan` shows which route each has.',
  },
  ERR_BUNDLE_INCOMPLETE: {
    kind: 'invalid',
    sentence: 'The bundle refers to something it does not hold, or names something twice.',
    hint: 'Compile it again; the places are named in `errors`.',
  },
} as const satisfies ErrorTable;
export const bundleError = errorsOf(BUNDLE_ERRORS);
