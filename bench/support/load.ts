/**
 * Load for benches: callers that ask again as soon as they are answered, in process or over kept-alive connections. Beside
 * the rate it counts processor time of Node and of PostgreSQL, which stays meaningful when something else uses the machine.
 */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Connection } from './server.ts';

const LONGEST_MS = 300_000;
/** Linux counts processor time in ticks of 10 ms (USER_HZ). */
const TICK_MICROSECONDS = 10_000;

export interface Measured {
  /** Completions a second. */
  readonly rate: number;
  /** Processor microseconds a completion. */
  readonly node: number;
  readonly postgres: number;
}

export interface Meter {
  /** How long `run` goes on where no work is given. */
  readonly seconds: number;
  /** Completions of `call` by so many callers: for `seconds`, or until `work` is used up. */
  run<T>(options: { callers: number; work?: readonly T[] }, call: (item: T) => Promise<unknown>): Promise<Measured>;
  /** The same over HTTP; every answer must have the status expected. */
  post(url: string, connections: number, bodies: readonly string[], status: number): Promise<Measured>;
  /** Times `work` as a whole; it answers how many units it did. */
  timed(work: () => Promise<number>): Promise<Measured>;
}

/** The same figures a unit, where each completion was `count` units. */
export function times(count: number, { rate, node, postgres }: Measured): Measured {
  return { rate: rate * count, node: node / count, postgres: postgres / count };
}

export function makeMany<T>(count: number, make: (at: number) => T): T[] {
  return Array.from({ length: count }, (_, at) => make(at));
}

export async function makeManyAsync<T>(count: number, make: (at: number) => Promise<T>): Promise<T[]> {
  const made: T[] = [];
  for (let at = 0; at < count; at++) made.push(await make(at));
  return made;
}

/** Looks until `probe` says that the work is done; a bench that hangs is worth less than one that fails. */
export async function until(probe: () => Promise<boolean>, what: string, every = 100): Promise<void> {
  const end = performance.now() + LONGEST_MS;
  while (!(await probe())) {
    if (performance.now() > end) throw new Error(`never happened: ${what}`);
    await delay(every);
  }
}

/** `postmaster`: process id of the server whose children are counted. */
export function createMeter(postmaster: number, seconds: number): Meter {
  const timed: Meter['timed'] = async (work) => {
    const before = processorTime(postmaster);
    const started = performance.now();
    const done = await work();
    const after = processorTime(postmaster);
    return {
      rate: done / ((performance.now() - started) / 1000),
      node: (after.node - before.node) / done,
      postgres: (after.postgres - before.postgres) / done,
    };
  };
  const run: Meter['run'] = ({ callers, work }, call) =>
    timed(async () => {
      const queue = work?.slice();
      const end = performance.now() + seconds * 1000;
      let done = 0;
      const caller = async () => {
        while (queue === undefined ? performance.now() < end : queue.length > 0) {
          // Without work the callee takes no argument.
          await call(queue?.pop() as never);
          done += 1;
        }
      };
      await Promise.all(Array.from({ length: callers }, caller));
      return done;
    });
  return {
    seconds,
    timed,
    run,
    async post(url, connections, bodies, status) {
      const agent = new Agent({ keepAlive: true, maxSockets: connections });
      const measured = await run({ callers: connections, work: bodies }, async (body) => {
        const answered = await post(agent, url, body);
        if (answered !== status) throw new Error(`answered ${answered}`);
      });
      agent.destroy();
      return measured;
    },
  };
}

function processorTime(postmaster: number): { node: number; postgres: number } {
  const { user, system } = process.cpuUsage();
  // Sessions that ended meanwhile count through their parent: cutime and cstime.
  const parent = statOf(String(postmaster));
  let ticks = Number(parent?.[13] ?? 0) + Number(parent?.[14] ?? 0);
  for (const id of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const fields = statOf(id);
    if (Number(fields?.[1]) === postmaster) ticks += Number(fields?.[11]) + Number(fields?.[12]);
  }
  return { node: user + system, postgres: ticks * TICK_MICROSECONDS };
}

/** The fields of proc_pid_stat(5) after the command: state, parent, …, utime and stime at 11 and 12. */
function statOf(id: string): string[] | undefined {
  try {
    return readFileSync(`/proc/${id}/stat`, 'utf8').split(') ').at(-1)?.split(' ');
  } catch {
    return undefined;
  }
}

function post(agent: Agent, url: string, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const call = request(url, { agent, method: 'POST', headers }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode ?? 0));
    });
    call.on('error', reject);
    call.end(body);
  });
}

/** Transactions a second of the real pgbench, or `undefined` where there is none. */
export async function runPgbench(
  server: Connection,
  bytes: number,
  folder: string,
  seconds: number,
): Promise<number | undefined> {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).sort() : [];
  const program = versions.map((version) => join(root, version, 'bin/pgbench')).findLast((path) => existsSync(path));
  if (program === undefined) return undefined;
  const script = join(folder, 'one-row.sql');
  writeFileSync(script, `INSERT INTO raw_row (body) VALUES (convert_to(repeat('a', ${bytes}), 'UTF8'));\n`);
  const options = ['-n', '-M', 'prepared', '-c', '64', '-j', '2', '-T', String(Math.ceil(seconds)), '-f', script];
  const target = ['-h', server.host, '-p', String(server.port), '-U', server.user, server.database];
  const { stdout } = await promisify(execFile)(program, [...options, ...target], {
    env: { PGPASSWORD: server.password, LC_ALL: 'C' },
  });
  const tps = /tps = ([0-9.]+)/.exec(stdout)?.[1];
  return tps === undefined ? undefined : Number(tps);
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
