/**
 * `@sealpost/platform`: what every server process of Sealpost needs from Node and PostgreSQL, and nothing of what Sealpost
 * decides or carries. Control and gateway share it as they share Fastify; business code never lands here.
 */
export { mayBeAsked } from './address-rules.ts';
export { type Surroundings, systemSurroundings } from './clock.ts';
export { CONFIG_ERRORS, loadConfig, parseConfig } from './config.ts';
export {
  DATABASE_ERRORS,
  type Database,
  type DatabaseConfig,
  databaseConfigSchema,
  databaseError,
  migrate,
  openDatabase,
  type Sql,
} from './database.ts';
export { type DatabaseTls, readDatabaseUrl, tlsOptions } from './database-url.ts';
export { createGuardedFetch, type GuardedFetchOptions } from './guarded-fetch.ts';
export {
  createServer,
  HTTP_ERRORS,
  problemOf,
  type Server,
  type ServerOptions,
  type ServerTls,
  TLS_OPTIONS,
} from './http.ts';
export {
  ensureKek,
  KEY_ERRORS,
  type KeyStore,
  type KeysConfig,
  keysConfigSchema,
  openKeyStore,
  writeDurably,
} from './keys.ts';
export { createLogger, type Fields, LEVELS, type Level, type Logger } from './log.ts';
export { type PageOptions, registerPage } from './pages.ts';
export { type PointTable, pointsOf } from './points.ts';
export { type RunningService, runService } from './service.ts';
