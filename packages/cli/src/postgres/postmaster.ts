/**
 * One running PostgreSQL as a child process: started with settings that keep what it acknowledged, no
 * TCP port and no user data in its log; ready when it answers an authenticated query; stopped by a fast
 * shutdown. It has a session of its own, so Ctrl-C in the terminal reaches sealpost alone and sealpost
 * decides when the database goes. It dies with the thread that called `spawnPostmaster`; call it
 * from the main thread.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { type FileHandle, open, readFile, rename, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

import { Client } from 'pg';

import { lastLines } from './cluster.ts';
import { errnoOf, PostgresError, reasonOf } from './postgres-errors.ts';
import { markOf } from './process-table.ts';
import { asServerUser, type ServerUser, serverEnvironment } from './server-user.ts';
import { PORT } from './socket-dir.ts';
import { SUPERUSER } from './superuser.ts';

export type Settings = Readonly<Record<string, string>>;

export type Exit = { code: number | null; signal: NodeJS.Signals | null };

export type Postmaster = { child: ChildProcess; pid: number; exited: Promise<Exit>; log: LogMark };

/** The log file and its length when this server started, so that only its own lines are quoted. */
export type LogMark = { file: string; from: number };

export type SpawnPlan = {
  postgres: string;
  user: ServerUser;
  dataDir: string;
  socketDir: string;
  settings: Settings;
  logFile: string;
  /** Starts without waiting for the disk: a power failure destroys the cluster. */
  unsafeNoFsync: boolean;
};

export type ReadyPlan = { dataDir: string; socketDir: string; passwordFile: string; startTimeoutMs: number };

/** What durability, access and our own bookkeeping rest on; callers cannot set these. */
const fixedSettings = (socketDir: string): Settings => ({
  listen_addresses: '',
  unix_socket_directories: socketDir,
  unix_socket_permissions: '0777',
  port: String(PORT),
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  password_encryption: 'scram-sha-256',
  'sealpost.owner': markOf(process.pid) ?? '0:0',
  // Statements and DETAIL lines quote rows, and the log is no place for them.
  log_statement: 'none',
  log_min_error_statement: 'panic',
  log_min_duration_statement: '-1',
  log_error_verbosity: 'terse',
  log_parameter_max_length_on_error: '0',
  logging_collector: 'off',
  log_destination: 'stderr',
});

/** Past this size the log becomes postgres.log.1 at the next start. */
const LOG_LIMIT_BYTES = 16 << 20;

/** Throws ERR_POSTGRES_SETTING_RESERVED when the extra settings touch what is fixed. */
export const requireFreeSettings = (settings: Settings): void => {
  const fixed = new Set([...Object.keys(fixedSettings('')), 'data_directory', 'hba_file', 'ident_file', 'ssl']);
  const setting = Object.keys(settings).find((name) => fixed.has(name.toLowerCase()) || !/^[\w.]+$/.test(name));
  if (setting !== undefined) throw new PostgresError('ERR_POSTGRES_SETTING_RESERVED', { setting });
};

/** Starts the server; it is not ready yet. Throws ERR_POSTGRES_FOLDER_UNWRITABLE or ERR_POSTGRES_START_FAILED. */
export const spawnPostmaster = async (plan: SpawnPlan): Promise<Postmaster> => {
  const { handle, from } = await openLog(plan.logFile);
  await using _log = handle;
  const unsafe: Settings = plan.unsafeNoFsync ? { fsync: 'off', full_page_writes: 'off' } : {};
  const settings = { ...plan.settings, ...fixedSettings(plan.socketDir), ...unsafe };
  const args = ['-D', plan.dataDir, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
  const command = asServerUser(plan.user, plan.postgres, args);
  const child = spawn(command.file, command.args, {
    cwd: '/',
    env: serverEnvironment,
    detached: true,
    stdio: ['ignore', handle.fd, handle.fd],
  });
  const exited = exitOf(child);
  const log = { file: plan.logFile, from };
  if (child.pid === undefined) throw await startFailure(log);
  return { child, pid: child.pid, exited, log };
};

/**
 * Returns once the superuser has been answered over the socket.
 * Throws ERR_POSTGRES_START_FAILED, ERR_POSTGRES_START_TIMEOUT or ERR_POSTGRES_PASSWORD_REJECTED; then the server is stopped.
 */
export const waitReady = async (server: Postmaster, plan: ReadyPlan, password: string): Promise<void> => {
  const timeout = AbortSignal.timeout(plan.startTimeoutMs);
  let ended = false;
  void server.exited.then(() => {
    ended = true;
  });
  for (let pause = 5; ; pause = Math.min(pause * 2, 200)) {
    const answer = await ask(server.pid, plan.socketDir, password);
    if (answer === 'ready') return;
    if (ended) throw await startFailure(server.log);
    if (answer === 'refused') {
      await stopPostmaster(server);
      throw new PostgresError('ERR_POSTGRES_PASSWORD_REJECTED', { path: plan.dataDir, file: plan.passwordFile });
    }
    if (timeout.aborted) {
      await stopPostmaster(server);
      const details = { seconds: Math.round(plan.startTimeoutMs / 1000), log: server.log.file };
      throw new PostgresError('ERR_POSTGRES_START_TIMEOUT', details);
    }
    await Promise.race([delay(pause), server.exited]);
  }
};

/** Fast shutdown; after 60 s an immediate one, after 10 s more the kill. Committed rows survive each of them. */
export const stopPostmaster = async (server: Postmaster): Promise<void> => {
  for (const [signal, patienceMs] of [
    ['SIGINT', 60_000],
    ['SIGQUIT', 10_000],
    ['SIGKILL', 10_000],
  ] as const) {
    server.child.kill(signal);
    const timer = new AbortController();
    const late = delay(patienceMs, 'late', { signal: timer.signal }).catch(() => 'late');
    const outcome = await Promise.race([server.exited, late]);
    timer.abort();
    if (outcome !== 'late') return;
  }
};

/**
 * One attempt: answered, password refused, or not there yet (no socket, still recovering, or the answer
 * came from the server of another start that won the race for this folder).
 */
const ask = async (pid: number, socketDir: string, password: string): Promise<'ready' | 'refused' | 'not yet'> => {
  const client = new Client({
    host: socketDir,
    port: PORT,
    user: SUPERUSER,
    password,
    database: 'postgres',
    connectionTimeoutMillis: 5_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ pid: string }>(
      `SELECT split_part(pg_read_file('postmaster.pid'), chr(10), 1) AS pid`,
    );
    if (Number(rows[0]?.pid) !== pid) return 'not yet';
    // Each role reaches its own database and no other; the two that come with the cluster are nobody's.
    await client.query('REVOKE CONNECT, TEMPORARY ON DATABASE postgres, template1 FROM PUBLIC');
    return 'ready';
  } catch (error) {
    return errnoOf(error) === '28P01' ? 'refused' : 'not yet';
  } finally {
    await client.end().catch(() => undefined);
  }
};

const openLog = async (file: string): Promise<{ handle: FileHandle; from: number }> => {
  try {
    const size = await stat(file).then(
      (stats) => stats.size,
      () => 0,
    );
    if (size > LOG_LIMIT_BYTES) await rename(file, `${file}.1`);
    const handle = await open(file, 'a', 0o600);
    return { handle, from: (await handle.stat()).size };
  } catch (error) {
    throw new PostgresError('ERR_POSTGRES_FOLDER_UNWRITABLE', { path: file, reason: reasonOf(error) }, error);
  }
};

const exitOf = (child: ChildProcess): Promise<Exit> =>
  new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', () => resolve({ code: null, signal: null }));
  });

const startFailure = async (log: LogMark): Promise<PostgresError> => {
  const bytes = await readFile(log.file).catch(() => new Uint8Array());
  const output = lastLines(new TextDecoder().decode(bytes.subarray(log.from)));
  return new PostgresError('ERR_POSTGRES_START_FAILED', { output, log: log.file });
};
