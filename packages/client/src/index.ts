/**
 * `@sealpost/client`: a device, in Node and in browsers. It enrols, keeps its state sealed, receives, and shows only what
 * passed every check: the sender it names is the one MLS authenticated, the content is what the envelope commits to. What
 * fails a check is never shown; its sender learns so by a signed receipt. A crash between any two steps loses nothing.
 */
export { createFileStore, createIndexedDbStore, eraseIndexedDbStore } from '#platform';
export { CLIENT_ERRORS } from './client-errors.ts';
export type {
  Device,
  DeviceChange,
  DeviceIdentity,
  InboxAttachment,
  InboxMessage,
  ReadableMessage,
  UnreadableMessage,
} from './device.ts';
export { type Enrolled, type EnrollOptions, enroll } from './enrollment/enroll.ts';
export { type OpenDeviceOptions, openDevice } from './open-device.ts';
export type { DeviceStore, StoreChanges } from './store/store.ts';
export type { ClientSurroundings } from './surroundings.ts';
export type { SocketLike, SyncSocketConstructor } from './sync/socket.ts';
