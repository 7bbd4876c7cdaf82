/**
 * `crypto/dispatch`: the dispatch key and what it opens: the carrier part of one attempt. Only the dispatcher entry may
 * import it.
 */
export { type CarrierVerdict, openCarrier } from './carrier.ts';
export { createDispatchKey, type DispatchKey, importDispatchKey } from './key.ts';
