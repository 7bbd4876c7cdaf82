/**
 * The embedded PostgreSQL. Owns the folder of the cluster, its socket folder and the files beside it;
 * promises a server that is reachable over its socket only, never runs as root, dies with its parent and
 * keeps what it acknowledged. It knows nothing of the schemas inside.
 */
export {
  type ConnectionConfig,
  connectionConfig,
  connectionString,
  createDatabase,
  createGuest,
  type DatabaseAccount,
  dropDatabase,
  type PostgresAdmin,
} from './database.ts';
export { type RunningPostgres, type StartPostgresOptions, startPostgres } from './start.ts';
