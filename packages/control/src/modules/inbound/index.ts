/**
 * Inbound: what people sent back, from the gateway's sealed letters to events for subscribers, and their wish to be left
 * alone to consent. Owns the table `inbound_taken`.
 */
export { createInbound } from './inbound.ts';
