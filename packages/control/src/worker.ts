/** What runs in the background of control: the same work over and over, one after another, until it is stopped. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@sealpost/platform';
import { SealpostError } from '@sealpost/protocol';

export interface Worker {
  start(): void;
  /** Resolves once the work under way has ended; it is bounded by whoever wrote it. */
  stop(): Promise<void>;
}

export interface WorkerOptions {
  /** As logs name it. */
  readonly name: string;
  /** Answers whether there may be more at once; otherwise, and after a failure, it rests. */
  readonly work: () => Promise<boolean>;
  readonly rest: number;
  readonly logger: Logger;
}

export function createWorker({ name, work, rest, logger }: WorkerOptions): Worker {
  const stopping = new AbortController();
  let running: Promise<void> = Promise.resolve();
  const once = async () => {
    try {
      return await work();
    } catch (error) {
      logger.debug('work put off', { route: name, code: error instanceof SealpostError ? error.code : 'unknown' });
      return false;
    }
  };
  const run = async () => {
    while (!stopping.signal.aborted) {
      if (await once()) continue;
      await delay(rest, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  };
  return {
    start() {
      running = run();
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
