/**
 * Subscriptions: what applications are told, as CloudEvents under Standard Webhooks signatures. Owns the tables
 * `subscription`, `event_delivery` and `event_cursor`. At least once, in no promised order.
 */
export { createDeliveries } from './deliver.ts';
export { createFollower } from './follow.ts';
export { createSubscriptions, type Subscriptions } from './subscriptions.ts';
export { registerSubscriptionsRoutes } from './subscriptions-routes.ts';
