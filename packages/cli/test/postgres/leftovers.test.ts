/** Crashes of the parent, of the server, of both: nothing is orphaned and the next start succeeds. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, test } from 'vitest';

import { findCarrier, prepareBinaries } from '../../src/postgres/binaries.ts';
import { isAlive, isGone, serversIn } from '../../src/postgres/process-table.ts';
import { asServerUser, chooseServerUser, serverEnvironment } from '../../src/postgres/server-user.ts';
import { keepsake, type Scratch, scratch } from './scratch.ts';

describe('the parent of the server', () => {
  test('killed with SIGKILL leaves no orphan, no lock file and no socket', async () => {
    await using place = await scratch();
    const parent = spawnParent(place);
    const { pid, socketDir } = await firstLine(parent);
    expect(isAlive(pid)).toBe(true);
    expect(serversIn(place.dataDir).length).toBeGreaterThan(3);

    parent.kill('SIGKILL');
    await once(parent, 'exit');
    await expect.poll(() => serversIn(place.dataDir), { timeout: 10_000 }).toEqual([]);
    expect(isAlive(pid)).toBe(false);
    expect(existsSync(join(place.dataDir, 'postmaster.pid'))).toBe(false);
    expect(existsSync(join(socketDir, '.s.PGSQL.5432'))).toBe(false);
  });

  test('killed with SIGKILL can be started again at once', async () => {
    await using place = await scratch();
    const parent = spawnParent(place);
    await firstLine(parent);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    const server = await place.start();
    await keepsake.write(server);
    expect(await keepsake.read(server)).toBe('kept');
  });
});

describe('a start after a crash', () => {
  test('survives the lock file of a server that is dead', async () => {
    await using place = await scratch();
    const first = await place.start();
    await keepsake.write(first);
    process.kill(first.pid, 'SIGKILL');
    await first.exited;
    expect(readFileSync(join(place.dataDir, 'postmaster.pid'), 'utf8')).toMatch(`${first.pid}\n`);
    expect(await keepsake.read(await place.start())).toBe('kept');
  });

  test('survives lock files whose process id now belongs to a stranger of the same user', async () => {
    await using place = await scratch();
    const first = await place.start();
    await keepsake.write(first);
    await first.stop();
    using stranger = await runningAs(place, 'sleep', ['600']);
    await mkdir(first.socketDir, { recursive: true, mode: 0o700 });
    for (const file of [join(place.dataDir, 'postmaster.pid'), join(first.socketDir, '.s.PGSQL.5432.lock')]) {
      await writeFile(file, `${stranger.pid}\n${place.dataDir}\n1700000000\n5432\n${first.socketDir}\n\n`);
    }
    expect(await keepsake.read(await place.start())).toBe('kept');
    expect(isAlive(stranger.pid)).toBe(true);
    expect(place.log.join('\n')).toContain(`process ${stranger.pid} is not the PostgreSQL that wrote it`);
  });

  test('survives the lock file of a dead server that nobody reaps, as in a container without an init', async () => {
    await using place = await scratch();
    const first = await place.start();
    await first.stop();
    using parent = await runningAs(place, 'sh', ['-c', 'true & exec sleep 600']);
    await expect.poll(() => zombieOf(parent.pid), { timeout: 10_000 }).toBeGreaterThan(0);
    const zombie = zombieOf(parent.pid);
    await writeFile(join(place.dataDir, 'postmaster.pid'), `${zombie}\n${place.dataDir}\n1700000000\n5432\n\n\n`);
    expect(isAlive((await place.start()).pid)).toBe(true);
  });

  test('survives an empty lock file', async () => {
    await using place = await scratch();
    const first = await place.start();
    await first.stop();
    await writeFile(join(place.dataDir, 'postmaster.pid'), '');
    const second = await place.start();
    expect(isAlive(second.pid)).toBe(true);
  });

  test('stops a server that nobody owns any more, and takes over its data', async () => {
    await using place = await scratch();
    const first = await place.start();
    await keepsake.write(first);
    await first.stop();
    const orphan = await startOrphan(place);
    const second = await place.start();
    expect(isAlive(orphan)).toBe(false);
    expect(await keepsake.read(second)).toBe('kept');
    expect(place.log.join('\n')).toContain(`left over from a crash (process ${orphan})`);
  });

  test('leaves a server alone that belongs to a running sealpost, and names both processes', async () => {
    await using place = await scratch();
    const first = await place.start();
    await expect(place.start()).rejects.toMatchObject({
      code: 'ERR_POSTGRES_IN_USE',
      message: expect.stringContaining(
        `PostgreSQL ${first.pid}, which belongs to the running sealpost process ${process.pid}`,
      ),
    });
    expect(isAlive(first.pid)).toBe(true);
  });

  test('removes the draft of a creation that was killed', async () => {
    await using place = await scratch();
    const gone = spawn('true');
    await once(gone, 'exit');
    const draft = join(place.folder, `postgres.init-${gone.pid}`);
    await mkdir(draft);
    await writeFile(join(draft, 'password'), 'old');
    await place.start();
    expect(existsSync(draft)).toBe(false);
  });
});

test('two first starts at the same time leave one server and one whole cluster', async () => {
  await using place = await scratch();
  const starts = [spawnParent(place), spawnParent(place)];
  const outcomes = await Promise.allSettled(starts.map(firstLine));
  const winners = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value.pid] : []));
  expect(winners).toHaveLength(1);
  expect(isAlive(winners[0] ?? 0)).toBe(true);
  for (const parent of starts) parent.kill('SIGKILL');
  await keepsake.write(await place.start());
});

const spawnParent = ({ dataDir }: Scratch): ChildProcess =>
  spawn(process.execPath, [join(import.meta.dirname, 'parent.ts'), dataDir], { stdio: ['ignore', 'pipe', 'ignore'] });

const firstLine = async (child: ChildProcess): Promise<{ pid: number; socketDir: string }> => {
  if (!child.stdout) throw new Error('the child has no stdout');
  for await (const line of createInterface({ input: child.stdout })) return JSON.parse(line);
  throw new Error('the child printed nothing');
};

/** A process of the server's own user that is not a PostgreSQL. */
const runningAs = async ({ dataDir }: Scratch, file: string, args: string[]): Promise<Disposable & { pid: number }> => {
  const command = asServerUser(chooseServerUser(dataDir), file, args);
  const child = spawn(command.file, command.args, { env: serverEnvironment, stdio: 'ignore' });
  await once(child, 'spawn');
  return { pid: child.pid ?? 0, [Symbol.dispose]: () => child.kill('SIGKILL') };
};

/** The child of the process that has ended and still is in the table, or 0. */
const zombieOf = (parent: number): number => {
  const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim().split(' ').map(Number);
  return children.find((pid) => pid > 0 && !isAlive(pid) && !isGone(pid)) ?? 0;
};

/** A PostgreSQL as an older or hand-made start would leave it: no owner named, not bound to a parent. */
const startOrphan = async ({ dataDir, folder }: Scratch): Promise<number> => {
  const user = chooseServerUser(dataDir);
  const { postgres } = await prepareBinaries(
    await findCarrier(),
    user,
    join(folder, 'postgres-binaries'),
    () => undefined,
  );
  const command = asServerUser(user, postgres, [
    '-D',
    dataDir,
    '-c',
    'listen_addresses=',
    '-c',
    `unix_socket_directories=${dataDir}`,
  ]);
  const args = command.args.map((arg) => (arg === '--pdeathsig=INT' ? '--pdeathsig=clear' : arg));
  const child = spawn('setpriv', args, { env: serverEnvironment, detached: true, stdio: 'ignore' });
  await expect.poll(() => lockStatus(dataDir), { timeout: 10_000 }).toBe('ready');
  return child.pid ?? 0;
};

/** The last line of the lock file: starting, ready, stopping. */
const lockStatus = (dataDir: string): string | undefined => {
  const file = join(dataDir, 'postmaster.pid');
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').at(-1)?.trim() : undefined;
};
