/**
 * A zone's database in numbers: tables with rows and sizes, migrations, and for the gateway how far behind its lanes, queues
 * and checkpoint are. No value of any row is read but counters of ours.
 */
import { readFileSync } from 'node:fs';
import { type DatabaseConfig, openDatabase, type Sql } from '@sealpost/platform';

const TABLES = `
SELECT c.relname::text AS name, pg_total_relation_size(c.oid) AS bytes
FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' ORDER BY 1`;

/** Sums over all 64 lanes: how many events wait to be sequenced, and to be decided on. */
const LANES = `
SELECT sum(l.head)::bigint AS events, sum(l.head - s.sequenced)::bigint AS unsequenced,
  sum(l.head - c.decided)::bigint AS undecided, max(l.head - c.decided) AS "mostUndecided"
FROM lane l JOIN log_lane s USING (lane) JOIN lane_cursor c USING (lane)`;

const QUEUES = `
SELECT (SELECT count(*)::int FROM device_queue) AS "deviceQueue", (SELECT count(*)::int FROM attempt WHERE NOT done) AS attempts,
  (SELECT count(*)::int FROM timer) AS timers, (SELECT count(*)::int FROM set_aside) AS "setAside"`;

const CHECKPOINT = `
SELECT size, ($1::bigint - at)::bigint AS "ageMs", witnessed,
  (SELECT max(size) FROM log_checkpoint WHERE witnessed) AS "witnessedSize" FROM log_checkpoint ORDER BY size DESC LIMIT 1`;

/** Never throws: a database that is away is a fact too. */
export async function databaseFacts(
  config: DatabaseConfig,
  zone: 'control' | 'gateway',
  now: number,
): Promise<Record<string, unknown>> {
  try {
    const { password_file, ...address } = config;
    const database = openDatabase({ ...address, pool: 2, password: readFileSync(password_file, 'utf8').trim() });
    try {
      return {
        state: 'reachable',
        ...(await sharedFacts(database)),
        ...(zone === 'gateway' ? await gatewayFacts(database, now) : {}),
      };
    } finally {
      await database.close();
    }
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    return { state: 'unreachable', code: typeof code === 'string' ? code.slice(0, 40) : 'unknown' };
  }
}

async function sharedFacts(sql: Sql) {
  const [server] = await sql.query('support-server', 'SHOW server_version');
  const tables: Record<string, unknown>[] = [];
  for (const { name, bytes } of await sql.query<{ name: string; bytes: number }>('support-tables', TABLES)) {
    const [row] = await sql.query<{ rows: number }>(
      `support-count-${name}`,
      `SELECT count(*) AS rows FROM public."${name}"`,
    );
    tables.push({ name, rows: row?.rows, bytes });
  }
  return {
    server,
    migrations: await sql.query('support-migrations', 'SELECT number, name FROM migration ORDER BY number'),
    tables,
  };
}

async function gatewayFacts(sql: Sql, now: number) {
  const [lanes] = await sql.query('support-lanes', LANES);
  const [queues] = await sql.query('support-queues', QUEUES);
  const [checkpoint] = await sql.query('support-checkpoint', CHECKPOINT, [now]);
  return { lanes, queues, checkpoint: checkpoint ?? null };
}
