/** The database of one start: started again when it ends unasked, at most a few times a minute. */
import { type RunningPostgres, type StartPostgresOptions, startPostgres } from '../postgres/index.ts';

/** Beyond this many ends within a minute it is left down and the start says so. */
const RESTARTS_A_MINUTE = 3;

export interface KeptDatabase {
  /** The one that runs now. */
  server(): RunningPostgres;
  stop(): Promise<void>;
}

export async function keepDatabase(
  options: StartPostgresOptions & { readonly onLog: (message: string) => void },
  now: () => number,
): Promise<KeptDatabase> {
  let server = await startPostgres(options);
  let stopping = false;
  let ends: number[] = [];

  const keep = async (): Promise<void> => {
    for (;;) {
      await server.exited;
      if (stopping) return;
      ends = [...ends.filter((at) => at > now() - 60_000), now()];
      if (ends.length > RESTARTS_A_MINUTE) return options.onLog('PostgreSQL keeps ending and is left down');
      options.onLog('PostgreSQL ended unexpectedly and is started again');
      server = await startPostgres(options);
      // Told to stop while it came up: nobody else knows of this one.
      if (stopping) await server.stop();
    }
  };
  const kept = keep().catch((cause: unknown) =>
    options.onLog(
      `PostgreSQL could not be started again: ${cause instanceof Error ? cause.message : 'unknown reason'}`,
    ),
  );

  return {
    server: () => server,
    async stop() {
      stopping = true;
      await server.stop();
      await kept;
    },
  };
}
