/**
 * The dispatcher: claims attempts, tries each once, reports, and takes providers' receipts. It holds the provider
 * credentials and the one key that opens carrier forms; it cannot open content and has no other table of the gateway.
 */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { type Adapter, type AdapterContext, createAdapter } from '@sealpost/channels';
import { type DispatchKey, importDispatchKey } from '@sealpost/crypto/dispatch';
import {
  type Database,
  type Logger,
  openDatabase,
  openKeyStore,
  type RunningService,
  type Surroundings,
  systemSurroundings,
} from '@sealpost/platform';
import { type ErrorTable, errorsOf, fromUtf8 } from '@sealpost/protocol';
import { readTrust } from '../config/trust.ts';
import { type Bus, createBus, POLL_MS } from '../platform/bus.ts';
import type { Claimed } from './claim-schema.ts';
import { claimAttempts, nextDue, reportOutcome, storeReceipts } from './claims.ts';
import type { DispatcherConfig } from './config.ts';
import { privateJwkOf } from './dispatch-key-schema.ts';
import { tryAttempt } from './try.ts';
import { createWebhookServer } from './webhooks.ts';

const VERSION = '0.1.0';

const DISPATCHER_ERRORS = {
  ERR_DISPATCHER_KEY: {
    kind: 'integrity',
    sentence: 'The dispatch key is not the one the trust file names.',
    hint: 'Use the key folder that was made with this trust file; forms sealed to another key cannot be opened.',
  },
} as const satisfies ErrorTable;
const dispatcherError = errorsOf(DISPATCHER_ERRORS);

export async function startDispatcher(
  config: DispatcherConfig,
  { logger, surroundings = systemSurroundings() }: { logger: Logger; surroundings?: Surroundings },
): Promise<RunningService & { port: number }> {
  const key = await openDispatchKey(config);
  const database = openDatabase({
    ...config.database,
    password: readFileSync(config.database.password_file, 'utf8').trim(),
  });
  const bus = createBus({ database, logger });
  const adapters = createAdapters(config, surroundings);
  const store = async (channel: string, receipts: Parameters<typeof storeReceipts>[2]) => {
    await storeReceipts(database, channel, receipts, surroundings.now());
    bus.hint('outcome');
  };
  const ready = async () =>
    database.query('dispatch-ready', 'SELECT 1').then(
      () => undefined,
      () => 'database',
    );
  const server = await createWebhookServer({ adapters, logger, version: VERSION, ready, store });
  await bus.start();
  await Promise.all(
    [...adapters].map(([channel, adapter]) => adapter.start({ receive: (receipts) => store(channel, receipts) })),
  );
  const loop = startLoop({ config, adapters, key, database, bus, logger, surroundings });
  await server.listen({ host: config.listen.host, port: config.listen.port });
  const { port } = server.server.address() as { port: number };
  logger.info('dispatcher ready', { port, count: adapters.size });
  return {
    port,
    async stop() {
      await server.close();
      await loop.stop();
      await Promise.all([...adapters.values()].map((adapter) => adapter.stop()));
      await bus.stop();
      await database.close();
    },
  };
}

async function openDispatchKey(config: DispatcherConfig): Promise<DispatchKey> {
  const trust = await readTrust(config);
  const key = await importDispatchKey(privateJwkOf(fromUtf8(openKeyStore(config.keys).readSecret('dispatch'))));
  if (key.id !== trust.dispatch.id) throw dispatcherError('ERR_DISPATCHER_KEY');
  return key;
}

function createAdapters(config: DispatcherConfig, surroundings: Surroundings): Map<string, Adapter> {
  const context: AdapterContext = {
    now: surroundings.now,
    fetch,
    readSecret: async (path) => trimNewline(new Uint8Array(await readFile(path))),
  };
  return new Map(
    Object.entries(config.channels).map(([channel, { adapter, ...settings }]) => [
      channel,
      createAdapter(adapter, settings, context),
    ]),
  );
}

function trimNewline(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === 0x0a || bytes[end - 1] === 0x0d)) end -= 1;
  return bytes.subarray(0, end);
}

interface LoopDeps {
  readonly config: DispatcherConfig;
  readonly adapters: ReadonlyMap<string, Adapter>;
  readonly key: DispatchKey;
  readonly database: Database;
  readonly bus: Bus;
  readonly logger: Logger;
  readonly surroundings: Surroundings;
}

/** Claims as many attempts as there are places free, tries them side by side, and waits for a hint or the next due one. */
function startLoop({ config, adapters, key, database, bus, logger, surroundings }: LoopDeps): {
  stop(): Promise<void>;
} {
  const owner = surroundings.uuid();
  const stopping = new AbortController();
  const underWay = new Set<Promise<void>>();

  const work = async (attempt: Claimed) => {
    const outcome = await tryAttempt(attempt, adapters, key, surroundings.now());
    const counted = await reportOutcome(database, attempt.id, attempt.epoch, outcome, surroundings.now());
    bus.hint('outcome');
    logger.info('attempt ended', {
      channel: attempt.part.channel,
      attempt: attempt.id,
      state: outcome.kind,
      reason: counted ? 'reported' : 'taken over',
    });
  };

  const claim = async () => {
    const free = config.concurrency - underWay.size;
    if (free <= 0) return;
    for (const attempt of await claimAttempts(database, owner, free, surroundings.now())) {
      const task: Promise<void> = work(attempt)
        // Unreported, the lease runs out and the attempt is claimed again as interrupted.
        .catch((cause: unknown) =>
          logger.warn('attempt not reported', {
            attempt: attempt.id,
            reason: cause instanceof Error ? cause.name : 'unknown',
          }),
        )
        .finally(() => underWay.delete(task));
      underWay.add(task);
    }
  };

  const run = async () => {
    while (!stopping.signal.aborted) {
      const woken = new AbortController();
      const off = bus.on('attempt', () => woken.abort());
      let wait = POLL_MS;
      try {
        await claim();
        const due = await nextDue(database);
        if (due !== undefined) wait = Math.min(POLL_MS, Math.max(10, due - surroundings.now()));
      } catch (cause) {
        logger.warn('claiming failed', { reason: cause instanceof Error ? cause.name : 'unknown' });
      }
      await Promise.race([
        delay(wait, undefined, { signal: AbortSignal.any([stopping.signal, woken.signal]) }).catch(() => undefined),
        ...underWay,
      ]);
      off();
    }
  };
  const loop = run();
  return {
    async stop() {
      stopping.abort();
      await loop;
      await Promise.all(underWay);
    },
  };
}
