/**
 * 202 only after the disk has it, as the kernel saw it: strace on the gateway and on every PostgreSQL process, one request
 * in flight. The same server with `synchronous_commit = off` must be caught answering early, or the test proves nothing.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, existsSync, readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  connectionConfig,
  createDatabase,
  type RunningPostgres,
  startPostgres,
} from '../../packages/cli/src/postgres/index.ts';
import {
  bundleOf,
  makeEnvelope,
  seedConversations,
  signedBundle,
  submit,
} from '../../packages/gateway/test/support/envelopes.ts';
import {
  type Credentials,
  createOrganisation,
  type Organisation,
} from '../../packages/gateway/test/support/organisation.ts';
import { writeConfiguration } from '../../packages/gateway/test/support/running-gateway.ts';
import { type Database, openDatabase, systemSurroundings } from '../../packages/platform/src/index.ts';
import { type Answers, answersIn } from '../kill/fsync-order.ts';
import { until } from '../support/until.ts';

const PROGRAM = '/usr/bin/strace';
const MISSING = 'needs strace: apt-get install strace';
const installed = existsSync(PROGRAM);
const PORT = 7052;
const REQUESTS = 200;
const ENTRY = fileURLToPath(new URL('../../packages/gateway/src/main.ts', import.meta.url));
const ACCOUNT = { database: 'sealpost_gateway', role: 'sealpost_gateway', password: 'only-for-this-test' };
const CALLS = 'trace=read,readv,recvfrom,recvmsg,write,writev,sendto,sendmsg,fdatasync,fsync';

if (!installed && process.env.SEALPOST_REQUIRE_PEERS !== '1') test.skip(MISSING, () => undefined);
else {
  let folder: string;
  let postgres: RunningPostgres;
  let database: Database;
  let organisation: Organisation;
  let config: string;
  let control: Credentials;
  const surroundings = systemSurroundings();

  beforeAll(async () => {
    if (!installed) throw new Error(MISSING);
    folder = await mkdtemp(join(tmpdir(), 'sealpost-fsync-'));
    await chmod(folder, 0o711);
    postgres = await startPostgres({ dataDir: join(folder, 'postgres') });
    await createDatabase(postgres, ACCOUNT);
    organisation = await createOrganisation();
    control = await organisation.credentials('control');
    database = openDatabase({ ...connectionConfig(postgres, ACCOUNT), pool: 2 });
    const written = await writeConfiguration(folder, organisation, connectionConfig(postgres, ACCOUNT));
    const internal = 'internal: { host: 127.0.0.1, port: 0 }';
    config = join(folder, 'gateway-here.yaml');
    await writeFile(config, readFileSync(written.path, 'utf8').replace(internal, internal.replace('0 }', `${PORT} }`)));
  }, 120_000);
  afterAll(async () => {
    await database?.close();
    await postgres?.stop();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  test(`of ${REQUESTS} answers 202 none is written before a flush of the WAL that began after its request`, async () => {
    const answers = await watched();
    expect(answers).toMatchObject({ count: REQUESTS, early: 0 });
    expect(answers.flushes).toBeGreaterThanOrEqual(REQUESTS);
  }, 180_000);

  test('with synchronous_commit = off the same watch catches early answers', async () => {
    await database.query('t-off', 'ALTER ROLE CURRENT_USER SET synchronous_commit = off');
    const { count, early } = await watched();
    expect(count).toBe(REQUESTS);
    // Flushes of the background hide some; most are seen.
    expect(early).toBeGreaterThan(REQUESTS / 4);
  }, 180_000);

  /** A gateway of its own, watched while it answers one request after another over one connection. */
  async function watched(): Promise<Answers> {
    const gateway = await started();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const trace = join(folder, 'strace.out');
    try {
      await prepared(agent);
      // Connections and statements of the pool are made by now, and so are the processes to watch.
      for (let warm = 0; warm < 5; warm++) await accepted(agent);
      const strace = await attached([gateway.pid ?? 0, ...processesOf(postgres.pid)], trace);
      for (let sent = 0; sent < REQUESTS; sent++) await accepted(agent);
      strace.kill('SIGINT');
      await once(strace, 'exit');
    } finally {
      agent.destroy();
      gateway.kill('SIGTERM');
      await once(gateway, 'exit');
    }
    return answersIn(await linesOf(trace), PORT);
  }

  async function started(): Promise<ChildProcess> {
    const child = spawn(process.execPath, [ENTRY, '--config', config], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    await once(child, 'message');
    return child;
  }

  /** Bundle and conversation, the first time. */
  async function prepared(agent: Agent): Promise<void> {
    const now = surroundings.now();
    const [known] = await database.query('t-known', 'SELECT 1 FROM conversation LIMIT 1');
    if (known !== undefined) return;
    await seedConversations(database, organisation, 1);
    const bundle = await signedBundle(organisation, bundleOf(organisation, now), now);
    expect(await post(agent, 'PUT', '/internal/v1/bundle', bundle)).toBe(200);
  }

  async function accepted(agent: Agent): Promise<void> {
    const submission = await submit(organisation, [makeEnvelope(organisation, surroundings)], surroundings.now());
    expect(await post(agent, 'POST', '/internal/v1/envelopes', submission)).toBe(202);
  }

  function post(agent: Agent, method: string, path: string, body: unknown): Promise<number> {
    const payload = JSON.stringify(body);
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) };
    const to = { host: '127.0.0.1', servername: 'localhost', port: PORT, ca: organisation.caPem, ...control };
    return new Promise((resolve, reject) => {
      const sent = request({ ...to, method, path, headers, agent }, (answer) => {
        answer.resume();
        answer.on('end', () => resolve(answer.statusCode ?? 0));
      });
      sent.on('error', reject);
      sent.end(payload);
    });
  }
}

/** strace on these processes and all they start; resolves once it holds them. */
async function attached(pids: readonly number[], file: string): Promise<ChildProcess> {
  const processes = pids.flatMap((pid) => ['-p', String(pid)]);
  const strace = spawn(PROGRAM, ['-f', '-yy', '-s', '4', '-e', CALLS, '-o', file, ...processes], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  strace.stderr?.on('data', (chunk) => {
    said += String(chunk);
  });
  await until(`strace to hold ${pids.length} processes`, () => {
    if (strace.exitCode !== null) throw new Error(said);
    return pids.every((pid) => said.includes(`Process ${pid} attached`));
  });
  return strace;
}

function processesOf(postmaster: number): number[] {
  const children = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && parentOf(name) === postmaster);
  return [postmaster, ...children.map(Number)];
}

/** proc_pid_stat(5): the parent is the second field after the command. */
function parentOf(pid: string): number | undefined {
  try {
    return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[1]);
  } catch {
    return undefined;
  }
}

async function linesOf(file: string): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of createInterface({ input: createReadStream(file) })) lines.push(line);
  return lines;
}
