/**
 * Runs the `sealpost` program as a person or a service manager would, looks at what it prints, and knows every process
 * that came of it, so that a test can say "nothing is left" and mean it. Waits are on conditions and bounded.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export const REPOSITORY = resolve(import.meta.dirname, '../..');
export const BIN = join(REPOSITORY, 'packages/cli/bin/sealpost.mjs');

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface House {
  readonly pid: number;
  /** What it has printed so far. */
  text(): string;
  stdout(): string;
  /** Waits until it has printed this; throws what it printed instead when it ends first. */
  says(expected: RegExp, limit?: number): Promise<void>;
  /** Every process below it, PostgreSQL and its workers included. */
  processes(): number[];
  signal(name: NodeJS.Signals, to?: 'process' | 'group'): void;
  readonly ended: Promise<Ended>;
}

/** A folder PostgreSQL's user can pass, gone after `remove`. */
export function temporaryFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync('/tmp/sealpost-house-');
  chmodSync(path, 0o711);
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export interface Run {
  readonly env?: Record<string, string>;
  /** Another program in front of node, for example setpriv. */
  readonly before?: readonly string[];
  /** Arguments of node itself. */
  readonly node?: readonly string[];
  readonly cwd?: string;
  /** Of another checkout. */
  readonly bin?: string;
}

const running = new Set<ChildProcess>();

/** Starts `sealpost` as the leader of a process group of its own, as a shell does with a foreground job. */
export function launch(
  args: readonly string[],
  { env = {}, before = [], node = [], cwd = '/', bin = BIN }: Run = {},
): House {
  const [file = '', ...rest] = [...before, process.execPath, ...node, bin, ...args];
  const child = spawn(file, rest, {
    cwd,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH ?? '', HOME: '/nonexistent', ...env },
  });
  running.add(child);
  let [stdout, stderr] = ['', ''];
  child.stdout?.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  let over = false;
  const ended = new Promise<Ended>((done, failed) => {
    child.once('error', failed);
    // `close` would wait for whoever inherited the pipes: an orphan would hang the test instead of failing it.
    child.once('exit', (code) => {
      over = true;
      running.delete(child);
      setImmediate(() => done({ code, stdout, stderr }));
    });
  });
  const pid = child.pid ?? 0;
  return {
    pid,
    text: () => stderr + stdout,
    stdout: () => stdout,
    async says(expected, limit = 90_000) {
      await eventually(
        () => {
          if (expected.test(stderr + stdout)) return true;
          if (over) throw new Error(`ended without saying ${expected}: ${stderr}${stdout}`);
          return undefined;
        },
        `${expected}`,
        limit,
      );
    },
    processes: () => [pid, ...descendantsOf(pid)],
    signal: (name, to = 'process') => void process.kill(to === 'group' ? -pid : pid, name),
    ended,
  };
}

/** Runs to the end. */
export function run(args: readonly string[], options: Run = {}): Promise<Ended> {
  return launch(args, options).ended;
}

/** For afterAll: what a failed test left running is told to stop, then ended. */
export async function endAll(): Promise<void> {
  for (const child of running) {
    const pids = [child.pid ?? 0, ...descendantsOf(child.pid ?? 0)];
    child.kill('SIGTERM');
    await nothingLeft(pids, 30_000).catch(() => {
      for (const pid of pids.filter(lives)) process.kill(pid, 'SIGKILL');
    });
  }
}

export async function nothingLeft(pids: readonly number[], limit = 30_000): Promise<void> {
  await eventually(
    () => (pids.some(lives) ? undefined : true),
    `end of ${pids.join(' ')}`,
    limit,
    () => pids.filter(lives).map(commandOf).join('; '),
  );
}

/** The value once there is one. */
export async function eventually<T>(
  look: () => T | undefined | Promise<T | undefined>,
  what: string,
  limit = 30_000,
  instead: () => string = () => '',
): Promise<T> {
  const timeout = AbortSignal.timeout(limit);
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (timeout.aborted) throw new Error(`waited ${limit} ms for ${what} ${instead()}`);
    await delay(25);
  }
}

export function isFree(port: number): Promise<boolean> {
  return new Promise((done) => {
    const server = createServer();
    server.once('error', () => done(false));
    server.listen(port, '127.0.0.1', () => server.close(() => done(true)));
  });
}

export async function areFree(base: number): Promise<boolean> {
  const free = await Promise.all([0, 1, 2, 3, 4, 5].map((offset) => isFree(base + offset)));
  return free.every(Boolean);
}

/** The first process below `pid` whose command line holds `words`. */
export function processBelow(pid: number, words: string): number | undefined {
  return descendantsOf(pid).find((below) => commandOf(below).includes(words));
}

/** A zombie has ended; only its parent has not asked yet. */
export function lives(pid: number): boolean {
  const fields = statOf(pid);
  return fields !== undefined && fields[0] !== 'Z';
}

export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}

function descendantsOf(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    const parent = /^\d+$/.test(name) ? statOf(Number(name))?.[1] : undefined;
    if (parent !== undefined) parents.set(Number(name), Number(parent));
  }
  const below = (of: number): number[] =>
    [...parents].filter(([, parent]) => parent === of).flatMap(([child]) => [child, ...below(child)]);
  return below(pid);
}

/** proc(5) stat from field 3 on: state, parent, … */
function statOf(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
