/** Errors of inspection: which rule, never what it found. */
import { type ErrorTable, errorsOf } from '@sealpost/protocol';

export const INSPECTION_ERRORS = {
  ERR_INSPECTION_BLOCKED: {
    kind: 'denied',
    sentence: 'The content holds something this flow must not carry.',
    hint: 'Take out what the rules named in `errors` are about, then send again.',
  },
} as const satisfies ErrorTable;
const inspectionError = errorsOf(INSPECTION_ERRORS);

export function blockedBy(rules: readonly string[]) {
  const details = rules.map((rule) => ({ pointer: '/content', detail: `blocked by rule ${rule}` }));
  return inspectionError('ERR_INSPECTION_BLOCKED', { details });
}
