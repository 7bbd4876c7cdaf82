/**
 * Starts one embedded PostgreSQL for the whole test run, in a temporary folder that goes with it, and
 * hands its coordinates to the tests (`inject('postgres')`; see postgres.ts for the usual way in).
 * It is the server that ships, with one difference named below: it does not wait for the disk.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

import { startPostgres } from '../../packages/cli/src/postgres/index.ts';
import type {} from './postgres.ts';

/** The data of a test run is worthless after it, and flushing it to disk would be most of the run. */
const unsafeNoFsync = true;

/** Many test files at once, each with a pool or two, on a small machine. */
const settings = { max_connections: '300', shared_buffers: '64MB', max_wal_size: '256MB' };

/** Called by vitest before the first test; what it returns runs after the last. */
export const setup = async (project: TestProject): Promise<() => Promise<void>> => {
  const folder = await mkdtemp(join(tmpdir(), 'sealpost-test-'));
  // mkdtemp makes the folder for its maker alone; the server's user has to pass it.
  await chmod(folder, 0o711);
  const removeFolder = () => rm(folder, { recursive: true, force: true });
  try {
    const server = await startPostgres({ dataDir: join(folder, 'postgres'), settings, unsafeNoFsync });
    const { socketDir, port, superuser, superuserPassword } = server;
    project.provide('postgres', { socketDir, port, superuser, superuserPassword });
    return async () => {
      await server.stop();
      await removeFolder();
    };
  } catch (error) {
    await removeFolder();
    throw error;
  }
};
