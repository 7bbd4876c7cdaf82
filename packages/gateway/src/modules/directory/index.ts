/**
 * The directory: members' chains of signed device changes. A change is taken only when the whole chain verifies here, by
 * the same verifier senders and devices use; it is in the log and in force when `post` returns. Owns the tables
 * directory_entry, device; writes directory.changed.
 */

export type { KnownDevice } from './device-row-schema.ts';
export {
  createDirectory,
  type Directory,
  type DirectoryDeps,
  type PostedEntry,
} from './directory.ts';

export { registerDirectoryRoutes } from './directory-routes.ts';
