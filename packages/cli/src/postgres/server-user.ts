/**
 * Whom PostgreSQL runs as, and the command line that makes it so. Started by root, PostgreSQL runs as
 * the owner of the existing cluster, else as `postgres`, else as `nobody`, without supplementary
 * groups; started by anyone else it runs as that user. In each case the kernel sends it SIGINT (a fast
 * shutdown) when the process that started it dies, however it dies.
 */
import { execFile } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';

import { errnoOf, PostgresError, reasonOf } from './postgres-errors.ts';

export type ServerUser = { uid: number; gid: number; name: string; dropsRoot: boolean };

/** A program and its arguments, ready for spawn. */
export type Command = { file: string; args: string[] };

export type CommandResult = { code: number; output: string };

/**
 * Nothing of the caller's environment reaches PostgreSQL: PGDATA, PGOPTIONS, LD_LIBRARY_PATH or a
 * locale would change what runs, and root must not find programs through a borrowed PATH.
 */
export const serverEnvironment = {
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin',
  LC_ALL: 'C',
  TZ: 'UTC',
} as const;

/** Decides the user for the cluster in `dataDir`, which need not exist. Throws ERR_POSTGRES_NO_USER. */
export const chooseServerUser = (dataDir: string): ServerUser => {
  if (process.getuid?.() !== 0) return currentUser();
  const users = readUsers();
  const owner = users.find((user) => user.uid === ownerOfFolder(dataDir) && user.uid !== 0);
  const user = owner ?? users.find(({ name }) => name === 'postgres') ?? users.find(({ name }) => name === 'nobody');
  if (!user || user.uid === 0) {
    throw new PostgresError('ERR_POSTGRES_NO_USER', { reason: '/etc/passwd has neither postgres nor nobody' });
  }
  return { ...user, dropsRoot: true };
};

/** The command that runs `file` as the server's user and lets it die with the thread that spawns it. */
export const asServerUser = (user: ServerUser, file: string, args: readonly string[]): Command => ({
  file: 'setpriv',
  args: [
    ...(user.dropsRoot ? [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'] : []),
    '--pdeathsig=INT',
    '--',
    file,
    ...args,
  ],
});

/** Runs a command to its end and returns its exit code with what it printed. Throws ENOENT when there is no setpriv. */
export const run = (command: Command, timeoutMs = 120_000): Promise<CommandResult> =>
  new Promise((resolve, reject) => {
    const options = { cwd: '/', env: serverEnvironment, timeout: timeoutMs, maxBuffer: 4 << 20 };
    execFile(command.file, command.args, options, (error, stdout, stderr) => {
      if (error && errnoOf(error) !== undefined) reject(error);
      else resolve({ code: error ? exitCode(error) : 0, output: `${stdout}${stderr}` });
    });
  });

/**
 * Proves by doing it that we can become the server's user and that this user can pass `folder`.
 * Throws ERR_POSTGRES_NO_SETPRIV, ERR_POSTGRES_NO_USER or ERR_POSTGRES_FOLDER_UNREACHABLE.
 */
export const requireReachable = async (user: ServerUser, folder: string): Promise<void> => {
  const { code, output } = await run(asServerUser(user, 'test', ['-x', folder])).catch((error: unknown) => {
    throw new PostgresError('ERR_POSTGRES_NO_SETPRIV', { output: reasonOf(error) }, error);
  });
  if (code === 0) return;
  const complaint = output.trim();
  if (/unrecognized option|unknown option|usage/i.test(complaint)) {
    throw new PostgresError('ERR_POSTGRES_NO_SETPRIV', { output: complaint });
  }
  if (complaint !== '') {
    throw new PostgresError('ERR_POSTGRES_NO_USER', { reason: `cannot become ${user.name}: ${complaint}` });
  }
  throw new PostgresError('ERR_POSTGRES_FOLDER_UNREACHABLE', { user: user.name, path: folder });
};

/** userInfo asks the same library call as initdb does, so it fails where initdb would. */
const currentUser = (): ServerUser => {
  try {
    const { uid, gid, username } = userInfo();
    return { uid, gid, name: username, dropsRoot: false };
  } catch (error) {
    const reason = `user id ${process.getuid?.()} has no entry in the user database`;
    throw new PostgresError('ERR_POSTGRES_NO_USER', { reason }, error);
  }
};

const readUsers = () =>
  readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [name, , uid, gid] = line.split(':');
      return name && uid && gid ? [{ name, uid: Number(uid), gid: Number(gid) }] : [];
    });

const ownerOfFolder = (folder: string): number | undefined => statSync(folder, { throwIfNoEntry: false })?.uid;

const exitCode = (error: object): number => ('code' in error && typeof error.code === 'number' ? error.code : 1);
