/**
 * Messages: from a request to the gateway's signed promise, once for each idempotency key. Owns the table of
 * 0011-messages.sql. Invariants: nothing is answered 202 that the gateway has not taken; nothing is sealed twice that may
 * have been taken once.
 */
export { registerConsoleRoutes } from './console-routes.ts';
export {
  createMessages,
  type MessageAccepted,
  type Messages,
  type MessagesDeps,
  type Preparation,
  type Prepared,
} from './messages.ts';

export { registerMessagesRoutes } from './messages-routes.ts';
