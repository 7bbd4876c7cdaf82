/**
 * What /proc says about processes: who is alive, since when, and which of them is a PostgreSQL that
 * works in a given folder. A process id alone proves nothing, because ids are used again; a pair of
 * id and start time does. Reads only; a process that vanishes while it is read counts as gone.
 */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import { PostgresError } from './postgres-errors.ts';

/** One process for as long as it lives: the id, and the start time in clock ticks since boot. */
export type ProcessMark = `${number}:${number}`;

export type ServerProcess = { pid: number; parent: number; owner: ProcessMark | undefined };

/** Throws ERR_POSTGRES_NO_PROC where there is no /proc to ask. */
export const requireProc = (): void => {
  if (!existsSync('/proc/self/stat')) throw new PostgresError('ERR_POSTGRES_NO_PROC');
};

/** The mark of a living process, or undefined when there is none with this id (a zombie counts as none). */
export const markOf = (pid: number): ProcessMark | undefined => {
  const stat = statOf(pid);
  return stat && stat.state !== 'Z' ? `${pid}:${stat.startTime}` : undefined;
};

export const isAlive = (pid: number): boolean => markOf(pid) !== undefined;

/** Whether not even a zombie has this id; PostgreSQL takes a zombie for a living process. */
export const isGone = (pid: number): boolean => statOf(pid) === undefined;

/** Whether the process is some PostgreSQL, wherever it works. */
export const isPostgres = (pid: number): boolean => isAlive(pid) && statOf(pid)?.command === 'postgres';

/** Whether the very process that got this mark still runs, not just one that inherited its id. */
export const stillRuns = (mark: ProcessMark): boolean => markOf(pidOf(mark)) === mark;

export const pidOf = (mark: ProcessMark): number => Number(mark.split(':')[0]);

/** The PostgreSQL processes whose working folder is `folder` (an absolute path without links). */
export const serversIn = (folder: string): ServerProcess[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => worksIn(pid, folder))
    .flatMap((pid) => {
      const stat = statOf(pid);
      return stat?.command === 'postgres' && stat.state !== 'Z'
        ? [{ pid, parent: stat.parent, owner: ownerOf(pid) }]
        : [];
    });

/** Waits until `done` holds, looking again after 5 ms to 100 ms; false when `timeoutMs` passed before. */
export const waitUntil = async (done: () => boolean, timeoutMs: number): Promise<boolean> => {
  const timeout = AbortSignal.timeout(timeoutMs);
  for (let pause = 5; !done(); pause = Math.min(pause * 2, 100)) {
    if (timeout.aborted) return false;
    await delay(pause);
  }
  return true;
};

/** Sends a signal; false when the process was already gone. Throws EPERM when it is not ours to signal. */
export const signal = (pid: number, name: NodeJS.Signals): boolean => {
  try {
    return process.kill(pid, name);
  } catch (error) {
    if (!isAlive(pid)) return false;
    throw error;
  }
};

/**
 * The command name may hold spaces and brackets, so proc(5) stat is split after its last bracket:
 * then field 3 is the state, 4 the parent, 22 the start time.
 */
const statOf = (pid: number) => {
  const text = readOrNothing(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  if (text === undefined) return undefined;
  const end = text.lastIndexOf(')');
  const fields = text.slice(end + 2).split(' ');
  return {
    command: text.slice(text.indexOf('(') + 1, end),
    state: fields[0],
    parent: Number(fields[1]),
    startTime: Number(fields[19]),
  };
};

const worksIn = (pid: number, folder: string): boolean =>
  readOrNothing(() => readlinkSync(`/proc/${pid}/cwd`)) === folder;

/** The postmaster keeps its arguments, and `-c sealpost.owner=<mark>` among them; its children do not. */
const ownerOf = (pid: number): ProcessMark | undefined => {
  const text = readOrNothing(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')) ?? '';
  const found = /\0sealpost\.owner=(\d+):(\d+)\0/.exec(text);
  return found ? `${Number(found[1])}:${Number(found[2])}` : undefined;
};

const readOrNothing = (read: () => string): string | undefined => {
  try {
    return read();
  } catch {
    return undefined;
  }
};
