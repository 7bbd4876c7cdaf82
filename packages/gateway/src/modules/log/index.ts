/**
 * The log: 64 lanes in which every event of the gateway is appended gapless and in order, and the Merkle tree one sequencer
 * makes of them. An event is durable with its caller's transaction, provable once a checkpoint covers it.
 */
export type { Appended, LaneEvent, Sequenced } from './lane-event.ts';
export { laneOf } from './lanes.ts';
export { createLog, type Log, type LogDeps, PROMISED_MS } from './log.ts';
export { logError } from './log-errors.ts';
export { registerLogRoutes, registerPublicLogRoutes } from './log-routes.ts';
export { type PreparedEvent, prepareEvent } from './prepare-event.ts';
