/**
 * The real code that runs in a simulated world, and the model's statements under it. Loaded once as it is and once for each
 * planted bug, with the bug's text in place of the real one (planted-loader.ts).
 */
export {
  claimAttempts,
  LEASE_MS,
  nextDue,
  renewLeases,
  reportOutcome,
  storeReceipts,
} from '../../packages/gateway/src/dispatcher/claims.ts';
export { perform } from '../../packages/gateway/src/dispatcher/task.ts';
export { createDelivery } from '../../packages/gateway/src/modules/delivery/delivery.ts';
export { createRouter } from '../../packages/gateway/src/modules/routing/index.ts';
export { deliveryStatements } from './delivery-statements.ts';
export { dispatchStatements } from './dispatch-statements.ts';
