/**
 * `protocol/carriage`: what a route outside the app may carry, how an attempt on it can end, and what comes back. The
 * dispatcher and the adapters know only this, never what people author (`protocol/content`).
 */
export {
  type Carriage,
  type CarriedFile,
  type Clear,
  carriageSchema,
  clearSchema,
  type Notice,
  noticeSchema,
  PAYLOAD_OF,
  type Payload,
  payloadSchema,
  type SplitLink,
  type Suggestion,
} from './carriage.ts';
export {
  type Inbound,
  type InboundContent,
  inboundSchema,
  type SealedInbound,
  sealedInboundSchema,
} from './inbound.ts';
export {
  type Outcome,
  type OutcomeKind,
  outcomeSchema,
  type ProviderReceipt,
  providerReceiptSchema,
  type Report,
  type RevokeResult,
  reportSchema,
  revokeResultSchema,
} from './outcome.ts';
