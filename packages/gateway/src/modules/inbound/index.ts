/**
 * `inbound`: what people sent back over a channel, sealed to control by the dispatcher, kept until control has it. Owns the
 * table of that name; tells nothing of what it holds, because it cannot open it.
 */
export { createInbound, type InboundBox } from './inbound.ts';
export { registerInboundRoutes } from './inbound-routes.ts';
