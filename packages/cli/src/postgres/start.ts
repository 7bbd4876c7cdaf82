/**
 * Starts the embedded PostgreSQL: the real server, in a folder of the caller, reachable over a unix
 * socket only, never as root. It answers when `startPostgres` returns, it stops when the caller stops
 * it or dies, and what it acknowledged survives a power failure.
 *
 * Beside `dataDir` it keeps the superuser's password, the log and, where needed, a copy of the programs.
 * The parent of `dataDir` must be passable (o+x) for the user PostgreSQL runs as when root starts it.
 */
import { chmod, mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import { type Binaries, type Carrier, findCarrier, prepareBinaries } from './binaries.ts';
import { createCluster, inspectCluster, ownCluster } from './cluster.ts';
import { clearLeftovers, clearSocketLock } from './leftovers.ts';
import { PostgresError, reasonOf } from './postgres-errors.ts';
import {
  type Exit,
  type Postmaster,
  requireFreeSettings,
  type Settings,
  spawnPostmaster,
  stopPostmaster,
  waitReady,
} from './postmaster.ts';
import { requireProc } from './process-table.ts';
import { chooseServerUser, requireReachable, type ServerUser } from './server-user.ts';
import { chooseSocketDir, makeSocketDir, PORT, removeSocketDir } from './socket-dir.ts';
import { newPassword, readPassword, SUPERUSER, storePassword } from './superuser.ts';

export type StartPostgresOptions = {
  /** The folder of the cluster, absolute, such as <data>/postgres. Created when absent. */
  dataDir: string;
  /** The folder of the socket; the default is /run/sealpost-<hash>, or one under `runtimeDir` or /tmp when not root. */
  socketDir?: string;
  /** The value of XDG_RUNTIME_DIR, where there is one. */
  runtimeDir?: string;
  /** A group whose members may reach the socket besides root and the server's user. */
  clientGid?: number;
  /** Where the superuser's password is kept, mode 0600; the default is postgres-superuser beside `dataDir`. */
  passwordFile?: string;
  /** Extra settings (`-c`), such as shared_buffers; those that durability and access rest on are refused. */
  settings?: Settings;
  /** How long the server may take until it answers, recovery included; the default is 120 000 ms. */
  startTimeoutMs?: number;
  /** Where the programs come from; the default is the npm package for this machine. */
  carrier?: Carrier;
  /** Told of what is not ordinary: a leftover stopped, programs copied, a guarantee switched off. */
  onLog?: (message: string) => void;
  /** For tests only: nothing waits for the disk, and a power failure destroys the cluster. */
  unsafeNoFsync?: boolean;
};

export type RunningPostgres = {
  readonly socketDir: string;
  readonly port: typeof PORT;
  readonly superuser: string;
  readonly superuserPassword: string;
  readonly pid: number;
  /** Always false: a server is started or refused, never shared with another process. */
  readonly attached: boolean;
  /** Settles when the server has ended, asked or not. Never rejects. */
  readonly exited: Promise<Exit>;
  /** Fast shutdown: open transactions roll back, connections end. May be called again. */
  stop(): Promise<void>;
};

type Plan = Required<Omit<StartPostgresOptions, 'runtimeDir' | 'clientGid'>> & { clientGid: number | undefined };

/**
 * Starts the server, creating the cluster the first time. Throws PostgresError; each code's hint says
 * what to do. Call it from the main thread: the server ends with the thread that started it.
 */
export const startPostgres = async (options: StartPostgresOptions): Promise<RunningPostgres> => {
  requireFreeSettings(options.settings ?? {});
  const plan = await compile(options);
  requireProc();
  const user = chooseServerUser(plan.dataDir);
  await makeParent(plan.dataDir, user);
  await requireReachable(user, dirname(plan.dataDir));
  const copyDir = join(dirname(plan.dataDir), 'postgres-binaries');
  const binaries = await prepareBinaries(plan.carrier, user, copyDir, plan.onLog);
  const password = await prepareCluster(plan, binaries, user);
  await clearLeftovers(plan.dataDir, plan.onLog);
  await makeSocketDir(plan.socketDir, user, plan.clientGid);
  clearSocketLock(plan.socketDir, plan.onLog);
  return launch(plan, binaries, user, password);
};

const compile = async (options: StartPostgresOptions): Promise<Plan> => ({
  dataDir: resolve(options.dataDir),
  socketDir: chooseSocketDir({ ...options, dataDir: resolve(options.dataDir) }),
  clientGid: options.clientGid,
  passwordFile: options.passwordFile ?? join(dirname(resolve(options.dataDir)), 'postgres-superuser'),
  settings: options.settings ?? {},
  startTimeoutMs: options.startTimeoutMs ?? 120_000,
  carrier: options.carrier ?? (await findCarrier()),
  onLog: options.onLog ?? (() => undefined),
  unsafeNoFsync: options.unsafeNoFsync ?? false,
});

/** Folders we make are passable whatever the umask; folders that were there keep their mode. */
const makeParent = async (dataDir: string, user: ServerUser): Promise<void> => {
  const parent = dirname(dataDir);
  try {
    const first = await mkdir(parent, { recursive: true, mode: 0o711 });
    if (first === undefined || !user.dropsRoot) return;
    for (let folder = parent; folder.length >= first.length; folder = dirname(folder)) await chmod(folder, 0o711);
  } catch (error) {
    throw new PostgresError('ERR_POSTGRES_FOLDER_UNWRITABLE', { path: parent, reason: reasonOf(error) }, error);
  }
};

/** Leaves a cluster of our version, owned by the server's user, and returns the superuser's password. */
const prepareCluster = async (plan: Plan, binaries: Binaries, user: ServerUser): Promise<string> => {
  const stored = await readPassword(plan.passwordFile);
  if ((await inspectCluster(plan.dataDir, binaries.major)) === 'present') {
    if (stored === undefined) {
      throw new PostgresError('ERR_POSTGRES_PASSWORD_MISSING', { path: plan.dataDir, file: plan.passwordFile });
    }
    await ownCluster(plan.dataDir, user);
    return stored;
  }
  const password = stored ?? (await storePassword(plan.passwordFile, newPassword()));
  await createCluster(plan.dataDir, binaries, user, password, plan.unsafeNoFsync);
  return password;
};

const launch = async (
  plan: Plan,
  binaries: Binaries,
  user: ServerUser,
  superuserPassword: string,
): Promise<RunningPostgres> => {
  const server = await serve(plan, binaries, user, superuserPassword);
  return {
    socketDir: plan.socketDir,
    port: PORT,
    superuser: SUPERUSER,
    superuserPassword,
    pid: server.pid,
    attached: false,
    exited: server.exited,
    stop: async () => {
      await stopPostmaster(server);
      await removeSocketDir(plan.socketDir);
    },
  };
};

/** A server that answers, or no trace of one. */
const serve = async (plan: Plan, binaries: Binaries, user: ServerUser, password: string): Promise<Postmaster> => {
  if (plan.unsafeNoFsync) plan.onLog('PostgreSQL runs without fsync: a power failure destroys its data');
  const logFile = join(dirname(plan.dataDir), 'postgres.log');
  try {
    const server = await spawnPostmaster({ ...plan, postgres: binaries.postgres, user, logFile });
    await waitReady(server, plan, password);
    return server;
  } catch (error) {
    await removeSocketDir(plan.socketDir);
    throw error;
  }
};
