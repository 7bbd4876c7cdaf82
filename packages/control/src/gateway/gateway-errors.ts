/** What can go wrong between control and the gateway, beyond the gateway's own answers (which keep their codes). */
import { type ErrorTable, errorsOf } from '@sealpost/protocol';

export const GATEWAY_CLIENT_ERRORS = {
  ERR_GATEWAY_AWAY: {
    kind: 'unavailable',
    sentence: 'The gateway does not answer.',
    hint: 'Try again with the same request after Retry-After; nothing was accepted that you were not told of.',
  },
  ERR_GATEWAY_IDENTITY: {
    kind: 'unavailable',
    sentence: 'What answered as gateway is not the gateway of this organisation.',
    hint: 'Check gateway.url and the certificates of control and gateway; nothing was sent to it.',
  },
  ERR_GATEWAY_ANSWER: {
    kind: 'unavailable',
    sentence: 'The gateway answered something this version does not understand.',
    hint: 'Run the same version of control and gateway, then try again.',
  },
  ERR_GATEWAY_TOO_LARGE: {
    kind: 'unavailable',
    sentence: 'The gateway answered more than control reads at once.',
    hint: 'Ask for less at once.',
  },
} as const satisfies ErrorTable;
export const gatewayError = errorsOf(GATEWAY_CLIENT_ERRORS);
