/**
 * Databases on the embedded server and how to reach them. Each database has one role that owns it and
 * may connect to it, and that role may connect to no other; so control cannot read the gateway's rows,
 * nor the other way round. The password itself never travels to the server, only its verifier.
 */
import { type DatabaseTls, tlsOptions } from '@sealpost/platform';
import { Client, escapeIdentifier, escapeLiteral } from 'pg';

import { PostgresError } from './postgres-errors.ts';
import { scramVerifier } from './scram.ts';
import { SUPERUSER } from './superuser.ts';

/** What it takes to reach the server as its superuser; a RunningPostgres is one. */
export type PostgresAdmin = {
  readonly socketDir: string;
  readonly port: number;
  readonly superuser: string;
  readonly superuserPassword: string;
  /** For a server of one's own on another machine. */
  readonly tls?: DatabaseTls;
};

/** A database, the role that owns it, and the role's password (printable ASCII). */
export type DatabaseAccount = { database: string; role: string; password: string };

/** The shape `pg` takes for a client or a pool. */
export type ConnectionConfig = { host: string; port: number; user: string; password: string; database: string };

type Server = Pick<PostgresAdmin, 'socketDir' | 'port'>;

/**
 * Creates the role and the database unless they exist, and sets the password either way; doing it again
 * changes nothing else. Throws ERR_POSTGRES_NAME_INVALID, ERR_POSTGRES_PASSWORD_INVALID,
 * ERR_POSTGRES_DATABASE_TAKEN, or the database's own error.
 */
export const createDatabase = async (admin: PostgresAdmin, account: DatabaseAccount): Promise<void> => {
  requireName(account.role, 'role');
  requireName(account.database, 'database');
  requirePassword(account);
  await withAdmin(admin, async (client) => {
    await oneAtATime(client, [account.role, account.database]);
    await ensureRole(client, account);
    await ensureDatabase(client, account);
    await client.query(`REVOKE ALL ON DATABASE ${escapeIdentifier(account.database)} FROM PUBLIC`);
  });
};

/**
 * A second role that may connect to an existing database and owns nothing in it; what it may touch is granted by the
 * database's own migrations. Idempotent like `createDatabase`.
 */
export const createGuest = async (admin: PostgresAdmin, account: DatabaseAccount): Promise<void> => {
  requireName(account.role, 'role');
  requireName(account.database, 'database');
  requirePassword(account);
  await withAdmin(admin, async (client) => {
    await oneAtATime(client, [account.role, account.database]);
    await ensureRole(client, account);
    await client.query(
      `GRANT CONNECT ON DATABASE ${escapeIdentifier(account.database)} TO ${escapeIdentifier(account.role)}`,
    );
  });
};

/** Ends its connections and removes the database and its role; absent ones are no error. */
export const dropDatabase = async (
  admin: PostgresAdmin,
  account: Pick<DatabaseAccount, 'database' | 'role'>,
): Promise<void> => {
  requireName(account.role, 'role');
  requireName(account.database, 'database');
  await withAdmin(admin, async (client) => {
    await client.query(`DROP DATABASE IF EXISTS ${escapeIdentifier(account.database)} WITH (FORCE)`);
    await client.query(`DROP ROLE IF EXISTS ${escapeIdentifier(account.role)}`);
  });
};

export const connectionConfig = (server: Server, account: DatabaseAccount): ConnectionConfig => ({
  host: server.socketDir,
  port: server.port,
  user: account.role,
  password: account.password,
  database: account.database,
});

/** The same as a URL, for configuration files and tools: the socket folder stands percent-encoded as the host. */
export const connectionString = (server: Server, account: DatabaseAccount): string => {
  const { host, port, user, password, database } = connectionConfig(server, account);
  const [folder, role, secret, name] = [host, user, password, database].map(encodeURIComponent);
  return `postgresql://${role}:${secret}@${folder}:${port}/${name}`;
};

const withAdmin = async (admin: PostgresAdmin, work: (client: Client) => Promise<void>): Promise<void> => {
  const account = { database: 'postgres', role: admin.superuser, password: admin.superuserPassword };
  const ssl = admin.tls === undefined ? {} : { ssl: tlsOptions(admin.tls) };
  const client = new Client({ ...connectionConfig(admin, account), ...ssl });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
};

/** Callers who share a name wait for each other, always in the same order; the locks go with the connection. */
const oneAtATime = async (client: Client, names: readonly string[]): Promise<void> => {
  for (const name of [...names].sort()) await client.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [name]);
};

const ensureRole = async (client: Client, { role, password }: DatabaseAccount): Promise<void> => {
  const { rowCount } = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [role]);
  const verb = rowCount === 0 ? 'CREATE' : 'ALTER';
  const limits = 'LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS';
  const verifier = escapeLiteral(await scramVerifier(password));
  await client.query(`${verb} ROLE ${escapeIdentifier(role)} WITH ${limits} PASSWORD ${verifier}`);
};

/** template0 has no connections, so databases can be created side by side. */
const ensureDatabase = async (client: Client, { database, role }: DatabaseAccount): Promise<void> => {
  const sql = 'SELECT pg_get_userbyid(datdba) AS owner FROM pg_database WHERE datname = $1';
  const { rows } = await client.query<{ owner: string }>(sql, [database]);
  const owner = rows[0]?.owner;
  if (owner === undefined) {
    await client.query(
      `CREATE DATABASE ${escapeIdentifier(database)} OWNER ${escapeIdentifier(role)} TEMPLATE template0`,
    );
  } else if (owner !== role) {
    throw new PostgresError('ERR_POSTGRES_DATABASE_TAKEN', { database, owner, role });
  }
};

const requireName = (name: string, what: 'role' | 'database'): void => {
  const taken = ['postgres', 'template0', 'template1', 'public', 'none', SUPERUSER];
  if (!/^[a-z][a-z0-9_]{0,62}$/.test(name) || name.startsWith('pg_') || taken.includes(name)) {
    throw new PostgresError('ERR_POSTGRES_NAME_INVALID', { name: JSON.stringify(name), what });
  }
};

const requirePassword = ({ role, password }: DatabaseAccount): void => {
  if (!/^[\x21-\x7e]+$/.test(password)) throw new PostgresError('ERR_POSTGRES_PASSWORD_INVALID', { role });
};
