/**
 * A database of one's own for a test: each call of `freshDatabase` makes a new, empty database with a
 * new role on the one server that test/support/global-setup.ts started, and `await using` removes both.
 * So tests share nothing, may run at the same time, and leave nothing behind.
 */
import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';

import {
  type ConnectionConfig,
  connectionConfig,
  connectionString,
  createDatabase,
  dropDatabase,
  type PostgresAdmin,
} from '../../packages/cli/src/postgres/index.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The server of this test run, as its superuser sees it. */
    postgres: PostgresAdmin;
  }
}

export type FreshDatabase = AsyncDisposable & {
  /** For `new Client(config)` or `new Pool(config)` of `pg`. */
  readonly config: ConnectionConfig;
  /** The same as a URL, for configuration files and child processes. */
  readonly url: string;
  readonly role: string;
  readonly database: string;
};

/**
 * An empty database owned by a role that can reach no other. On disposal connections that are still
 * open are ended, so close pools first or they report the loss.
 */
export const freshDatabase = async (): Promise<FreshDatabase> => {
  const server = inject('postgres');
  const name = `test_${randomBytes(8).toString('hex')}`;
  const account = { database: name, role: name, password: randomBytes(16).toString('hex') };
  await createDatabase(server, account);
  return {
    config: connectionConfig(server, account),
    url: connectionString(server, account),
    role: name,
    database: name,
    [Symbol.asyncDispose]: () => dropDatabase(server, account),
  };
};
