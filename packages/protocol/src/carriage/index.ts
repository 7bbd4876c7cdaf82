/**
 * `protocol/carriage`: what a route outside the app may carry, and how an attempt on it can end. The dispatcher and the
 * adapters know only this, never what people author (`protocol/content`).
 */
export { type Carriage, carriageSchema, type Notice, noticeSchema } from './carriage.ts';
export {
  type Outcome,
  type OutcomeKind,
  outcomeSchema,
  type ProviderReceipt,
  providerReceiptSchema,
} from './outcome.ts';
