/** The embedded PostgreSQL of a bench, fsync on, in a folder that goes with it; and a meter that counts its time. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDatabase, startPostgres } from '../../packages/cli/src/postgres/index.ts';
import { createMeter, type Meter } from './load.ts';
import type { BenchOptions } from './report.ts';

export interface Connection {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
}

export interface BenchServer {
  readonly connection: Connection;
  /** For files of the bench. */
  readonly folder: string;
  readonly meter: Meter;
}

/** How long each rate is measured. */
const SECONDS = { quick: 0.1, usual: 3 };

export async function withServer<T>({ quick }: BenchOptions, work: (server: BenchServer) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'sealpost-bench-'));
  // The server's own user must be able to pass.
  chmodSync(folder, 0o711);
  try {
    const server = await startPostgres({ dataDir: join(folder, 'postgres'), settings: { max_connections: '300' } });
    try {
      const account = { database: 'bench', role: 'bench', password: 'bench-only' };
      await createDatabase(server, account);
      const connection = { host: server.socketDir, port: server.port, user: account.role, ...account };
      return await work({ connection, folder, meter: createMeter(server.pid, quick ? SECONDS.quick : SECONDS.usual) });
    } finally {
      await server.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
