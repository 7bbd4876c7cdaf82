/**
 * PostgreSQL: named prepared statements (a name a text, parsed once a connection), transactions, and numbered
 * migrations, forward only, under a row lock so that two starting nodes do not both apply them.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ErrorTable, errorsOf } from '@sealpost/protocol';
import pg from 'pg';
import { z } from 'zod';
import { type DatabaseTls, readDatabaseUrl, tlsOptions } from './database-url.ts';

export const DATABASE_ERRORS = {
  ERR_DATABASE_NEWER: {
    kind: 'unavailable',
    sentence: 'The database was written by a newer Sealpost.',
    hint: 'Start that version or newer; data is never migrated backwards.',
  },
  ERR_DATABASE_UNAVAILABLE: {
    kind: 'unavailable',
    sentence: 'The database does not answer.',
    hint: 'Try again shortly; nothing was accepted.',
  },
} as const satisfies ErrorTable;
const databaseError = errorsOf(DATABASE_ERRORS);

/**
 * Where a database is: named by parts (the socket of the embedded server) or by one URL (a server of one's own), never
 * both. The password is in a file either way.
 */
export const databaseConfigSchema = z
  .strictObject({
    url: z
      .string()
      .max(1000)
      .optional()
      .describe(
        'A server of your own: `postgresql://role@host:5432/database`, without a password. Off this machine its certificate is verified; `?sslrootcert=FILE` names the CA. Instead of host, port, database and user.',
      ),
    host: z.string().optional().describe('Folder of the unix socket, or host name of the server. Instead of url.'),
    port: z.int().min(1).max(65535).optional().describe('Port (5432), also part of the socket’s name.'),
    database: z.string().optional().describe('Database of this zone; control and gateway never share one.'),
    user: z.string().optional().describe('Role of this zone.'),
    password_file: z.string().describe('File with the role’s password.'),
    pool: z.int().min(2).max(200).default(10).describe('Connections at most.'),
  })
  .transform(({ url, host, port, database, user, ...rest }, context) => {
    const problem = (path: string, message: string) => {
      context.issues.push({ code: 'custom', input: undefined, path: [path], message });
      return z.NEVER;
    };
    if (url === undefined) {
      if (host === undefined || database === undefined || user === undefined)
        return problem('host', 'give url, or host, database and user');
      return { host, port: port ?? 5432, database, user, ...rest };
    }
    if ([host, port, database, user].some((part) => part !== undefined))
      return problem('url', 'stands instead of host, port, database and user, not beside them');
    const read = readDatabaseUrl(url);
    return typeof read === 'string' ? problem('url', read) : { ...read, ...rest };
  });
export type DatabaseConfig = z.output<typeof databaseConfigSchema>;

export interface Sql {
  /** Rows of a statement; `name` names its text for good, so one name must never carry two texts. */
  query<Row extends object = Record<string, unknown>>(
    name: string,
    text: string,
    values?: readonly unknown[],
  ): Promise<Row[]>;
}

export interface Database extends Sql {
  /** Runs `work` in one transaction; rolls back when it throws. */
  transaction<T>(work: (tx: Sql) => Promise<T>): Promise<T>;
  /** A connection of one's own, for LISTEN or for one writer. */
  connection(): Promise<{ client: pg.PoolClient; sql: Sql; release: (broken?: boolean) => void }>;
  close(): Promise<void>;
}

// bigint columns hold sequences and milliseconds, both far below 2^53.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

export function openDatabase(config: {
  host: string;
  port: number;
  database: string;
  user: string;
  password: string;
  pool?: number;
  tls?: DatabaseTls;
}): Database {
  const pool = new pg.Pool({
    host: config.host,
    port: config.port,
    database: config.database,
    user: config.user,
    password: config.password,
    max: config.pool ?? 10,
    connectionTimeoutMillis: 10_000,
    ...(config.tls === undefined ? {} : { ssl: tlsOptions(config.tls) }),
  });
  // A server that goes away breaks idle clients too; the next query says so to its caller.
  pool.on('error', () => undefined);
  // One that is checked out and idle, as between two statements of a transaction, would end the process instead.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return {
    query: sqlOf(pool).query,
    async transaction(work) {
      const client = await pool.connect();
      let broken = true;
      try {
        await client.query('BEGIN');
        const result = await work(sqlOf(client));
        // A transaction with a failed statement in it is rolled back by COMMIT, which says so only in its tag.
        const { command } = await client.query('COMMIT');
        if (command !== 'COMMIT') throw new Error('a statement of this transaction failed and was passed over');
        broken = false;
        return result;
      } catch (cause) {
        broken = await client.query('ROLLBACK').then(
          () => false,
          () => true,
        );
        throw cause;
      } finally {
        client.release(broken);
      }
    },
    async connection() {
      const client = await pool.connect();
      return { client, sql: sqlOf(client), release: (broken = false) => client.release(broken) };
    },
    close: () => pool.end(),
  };
}

function sqlOf(client: pg.Pool | pg.PoolClient): Sql {
  return {
    async query<Row extends object>(name: string, text: string, values: readonly unknown[] = []) {
      const result = await client.query<Row>({ name, text, values: [...values].map(bind) });
      return result.rows;
    },
  };
}

/** `pg` sends only Buffers as binary; a plain Uint8Array would travel as JSON. */
function bind(value: unknown): unknown {
  return value instanceof Uint8Array && !Buffer.isBuffer(value)
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    : value;
}

/**
 * Whether an error means that the database is away or cannot work now, not that a statement was wrong: SQLSTATE classes
 * 08, 53, 57 and 58 (PostgreSQL appendix A), the socket's own errors, and those of `pg` that carry no code.
 */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { code?: unknown };
  if (typeof code === 'string') return /^(?:08|53|57|58)[0-9A-Z]{3}$/.test(code) || SOCKET_ERRORS.has(code);
  return /^(?:Connection terminated|timeout exceeded when trying to connect|Client was closed|Cannot use a pool after calling end)/.test(
    error.message,
  );
}

const SOCKET_ERRORS: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ENOENT', 'ETIMEDOUT']);

/**
 * Applies the `NNNN-name.sql` files of `folder` that the database has not seen, all in one transaction. `only` leaves out
 * the others, for data of an earlier moment that is loaded before the rest is applied to it.
 */
export async function migrate(
  database: Pick<Database, 'query' | 'transaction'>,
  folder: string,
  onApplied: (name: string) => void = () => undefined,
  only: (migration: number) => boolean = () => true,
): Promise<void> {
  const files = readdirSync(folder)
    .filter((name) => /^\d{4}-[a-z0-9-]+\.sql$/.test(name))
    .sort();
  await database.transaction(async (tx) => {
    // Two that find no table would both make it, and PostgreSQL refuses the second in spite of IF NOT EXISTS.
    await tx.query('migrations-alone', "SELECT pg_advisory_xact_lock(hashtext('sealpost migrations'))");
    await tx.query(
      'migrations-table',
      'CREATE TABLE IF NOT EXISTS migration (number int PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())',
    );
  });
  await database.query(
    'migrations-root',
    "INSERT INTO migration (number, name) VALUES (0, 'lock') ON CONFLICT DO NOTHING",
  );
  await database.transaction(async (tx) => {
    await tx.query('migrations-lock', 'SELECT number FROM migration WHERE number = 0 FOR UPDATE');
    const seen = new Set(
      (await tx.query<{ number: number }>('migrations-seen', 'SELECT number FROM migration')).map((row) => row.number),
    );
    const newest = Math.max(0, ...files.map((name) => Number(name.slice(0, 4))));
    if (Math.max(...seen) > newest) throw databaseError('ERR_DATABASE_NEWER');
    for (const name of files) {
      const number = Number(name.slice(0, 4));
      if (seen.has(number) || !only(number)) continue;
      await applyFile(tx, readFileSync(join(folder, name), 'utf8'));
      await tx.query('migrations-record', 'INSERT INTO migration (number, name) VALUES ($1, $2)', [number, name]);
      onApplied(name);
    }
  });
}

/** A file may hold several statements, which only the simple protocol takes; `DO` keeps them within ours. */
async function applyFile(tx: Sql, text: string): Promise<void> {
  for (const [index, statement] of splitStatements(text).entries())
    await tx.query(`migration-${hash(text)}-${index}`, statement);
}

function hash(text: string): string {
  let value = 0;
  for (let i = 0; i < text.length; i++) value = (Math.imul(value, 31) + text.charCodeAt(i)) | 0;
  return (value >>> 0).toString(36);
}

/** Statements end at a semicolon at the end of a line; bodies in dollar quotes are kept whole. */
function splitStatements(text: string): string[] {
  const statements: string[] = [];
  let current: string[] = [];
  let quote: string | undefined;
  for (const line of text.split('\n')) {
    if (quote === undefined && (line.trim() === '' || line.trim().startsWith('--'))) continue;
    current.push(line);
    for (const [tag] of line.matchAll(/\$(?:[a-z_]\w*)?\$/gi)) {
      if (quote === undefined) quote = tag;
      else if (quote === tag) quote = undefined;
    }
    if (quote === undefined && line.trimEnd().endsWith(';')) {
      statements.push(current.join('\n'));
      current = [];
    }
  }
  if (current.length > 0) statements.push(current.join('\n'));
  return statements;
}

export { databaseError };
