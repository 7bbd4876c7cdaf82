/** Load for benches: callers that ask again as soon as they are answered, in process or over kept-alive connections. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';

const SECONDS = 3;

/** Completions a second of `call` by so many callers: for a few seconds, or until `work` is used up. */
export async function sustained<T>(
  { callers, work }: { callers: number; work?: T[] },
  call: (item: T) => Promise<unknown>,
): Promise<number> {
  const queue = work?.slice();
  const started = performance.now();
  const end = started + SECONDS * 1000;
  let done = 0;
  const caller = async () => {
    for (;;) {
      if (queue === undefined ? performance.now() >= end : queue.length === 0) return;
      // Without work the callee takes no argument.
      await call(queue?.pop() as T);
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return done / ((performance.now() - started) / 1000);
}

/** Requests a second; every answer must have the status expected. */
export async function callRepeatedly(
  url: string,
  connections: number,
  bodies: string[],
  status: number,
): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const rate = await sustained({ callers: connections, work: bodies }, async (body) => {
    const answered = await post(agent, url, body);
    if (answered !== status) throw new Error(`answered ${answered}`);
  });
  agent.destroy();
  return rate;
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
  {
    host,
    port,
    database,
    user,
    password,
  }: { host: string; port: number; database: string; user: string; password: string },
  folder: string,
): Promise<number | undefined> {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).sort() : [];
  const program = versions.map((version) => join(root, version, 'bin/pgbench')).findLast((path) => existsSync(path));
  if (program === undefined) return undefined;
  const script = join(folder, 'one-row.sql');
  writeFileSync(script, `INSERT INTO raw_row (body) VALUES (decode(repeat('61', 1600), 'hex'));\n`);
  const options = ['-n', '-M', 'prepared', '-c', '64', '-j', '2', '-T', String(SECONDS), '-f', script];
  const output = execFileSync(program, [...options, '-h', host, '-p', String(port), '-U', user, database], {
    env: { PGPASSWORD: password, LC_ALL: 'C' },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const tps = /tps = ([0-9.]+)/.exec(output)?.[1];
  return tps === undefined ? undefined : Number(tps);
}
