/**
 * Every reason sync ends a connection. `sentence` is not sent; code and hint are, in the last frame.
 */
import type { ErrorTable } from '@sealpost/protocol';

export const SYNC_ERRORS = {
  ERR_SYNC_FRAME: {
    kind: 'invalid',
    sentence: 'A frame is not one of the protocol.',
    hint: 'Send one JSON text frame of a known type, with its members and no others.',
  },
  ERR_SYNC_TOO_LARGE: {
    kind: 'too-large',
    sentence: 'A frame is larger than any of the protocol.',
    hint: 'Send at most 100 receipts in a frame.',
  },
  ERR_SYNC_ORDER: {
    kind: 'invalid',
    sentence: 'A frame came when its type is not allowed.',
    hint: 'Send hello once, first, and everything else after ready.',
  },
  ERR_SYNC_TIMEOUT: {
    kind: 'unauthenticated',
    sentence: 'No hello came in time.',
    hint: 'Connect again and answer the challenge within ten seconds.',
  },
  /** Also for a device that is not known: the two are told apart for nobody. */
  ERR_SYNC_SIGNATURE: {
    kind: 'unauthenticated',
    sentence: 'The hello is not signed by a known device over this connection’s challenge.',
    hint: 'Sign the nonce of this very connection with the device key.',
  },
  ERR_SYNC_REVOKED: {
    kind: 'denied',
    sentence: 'The device was revoked or its certificate has run out.',
    hint: 'Enroll the device again.',
  },
  ERR_SYNC_SUPERSEDED: {
    kind: 'conflict',
    sentence: 'The device has opened a newer connection.',
    hint: 'Keep one connection a device; do not reconnect while the newer one lives.',
  },
  ERR_SYNC_CURSOR: {
    kind: 'invalid',
    sentence: 'The cursor is beyond what the device was ever sent.',
    hint: 'Acknowledge only cursors of items received; after losing local state begin at 0.',
  },
  ERR_SYNC_CREDIT: {
    kind: 'limited',
    sentence: 'The credit would grow past 1000 items.',
    hint: 'Grant more only as items arrive.',
  },
  ERR_SYNC_SLOW: {
    kind: 'limited',
    sentence: 'The device did not take what was sent for too long.',
    hint: 'Connect again with less credit.',
  },
  ERR_SYNC_FULL: {
    kind: 'unavailable',
    sentence: 'This node has as many connections as it takes.',
    hint: 'Connect again after a random time of up to a minute.',
  },
  ERR_SYNC_UNAVAILABLE: {
    kind: 'unavailable',
    sentence: 'The gateway cannot serve this connection now.',
    hint: 'Connect again shortly; unacknowledged items are sent again.',
  },
} as const satisfies ErrorTable;
export type SyncCode = keyof typeof SYNC_ERRORS;
