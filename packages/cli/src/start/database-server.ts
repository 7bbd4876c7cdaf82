/** The database of one start: started again when it ends unasked, ever more slowly and without end (a full disk passes). */
import { setTimeout as delay } from 'node:timers/promises';
import { type RunningPostgres, type StartPostgresOptions, startPostgres } from '../postgres/index.ts';

const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 15_000;

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
  const stopping = new AbortController();
  let ends: number[] = [];

  const startAgain = async (): Promise<void> => {
    ends = [...ends.filter((at) => at > now() - 60_000), now()];
    const pause = Math.min(FIRST_PAUSE * 2 ** (ends.length - 1), LONGEST_PAUSE);
    await delay(pause, undefined, { signal: stopping.signal });
    options.onLog('PostgreSQL ended unexpectedly and is started again');
    server = await startPostgres(options);
  };

  const keep = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await server.exited;
      await startAgain().catch((cause: unknown) => {
        if (stopping.signal.aborted) return;
        options.onLog(`PostgreSQL could not be started: ${cause instanceof Error ? cause.message : 'unknown reason'}`);
      });
    }
    // Told to stop while it came up: nobody else knows of this one.
    await server.stop();
  };
  const kept = keep();

  return {
    server: () => server,
    async stop() {
      stopping.abort();
      await server.stop();
      await kept;
    },
  };
}
