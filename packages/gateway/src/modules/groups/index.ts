/**
 * The MLS delivery service (RFC 9750 section 5): a pool of key packages given once each, one commit an epoch, welcomes
 * stored once, and a queue a device that repeats in order until acknowledged. It sees headers, never content. Owns the
 * tables key_package, conversation, conversation_device, conversation_commit, conversation_blob, device_queue,
 * device_cursor; writes group.created and group.committed.
 */
export type { ConversationState } from './conversations.ts';
export { createGroups, type Groups, type GroupsDeps } from './groups.ts';

export { registerGroupRoutes, registerKeyPackageRoutes } from './groups-routes.ts';
export type { QueuedItem, QueueEntry } from './queue.ts';
