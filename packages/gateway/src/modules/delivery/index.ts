/**
 * Delivery: the ladder of every accepted message, from acceptance to its end. Owns the tables lane_cursor, timer, attempt,
 * attempt_outcome, provider_receipt, provider_message, set_aside; writes route.step, attempt.*, receipt.* and message.ended.
 */
export { createDelivery, type Delivery, type DeliveryDeps } from './delivery.ts';

export { registerDeliveryRoutes, registerRevocationRoutes } from './delivery-routes.ts';

export type { DeliveryState } from './state.ts';
