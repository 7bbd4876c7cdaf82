/**
 * `crypto/seal`: closing what others will open. Nothing behind this door can open anything, so the gateway may hold it.
 */
export { decodeAuthenticatedData } from '../verify/authenticated-data.ts';
export { type CommittedContent, commitmentOf } from '../verify/commitment.ts';
export { encodeAuthenticatedData } from './authenticated-data.ts';
export { sealBlob } from './blob.ts';
export { type CarrierBinding, sealCarrier } from './carrier.ts';
export { type InboundBinding, type InboundRecipient, type SealedToControl, sealInbound } from './inbound.ts';
export { padCarriage } from './padding.ts';
export { sealState } from './state.ts';
export { sealStream } from './stream.ts';
export { type WrapContext, type WrappedKey, wrapKey } from './wrap-key.ts';
