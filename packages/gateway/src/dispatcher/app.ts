/**
 * The dispatcher: claims attempts, tries each once, reports, and takes what providers say. It holds the provider
 * credentials and the one key that opens carrier forms; it cannot open content and has no other table of the gateway.
 */
import { readFileSync } from 'node:fs';
import type { ProviderEvents } from '@sealpost/channels';
import { type DispatchKey, importDispatchKey } from '@sealpost/crypto/dispatch';
import {
  type Logger,
  openDatabase,
  openKeyStore,
  type RunningService,
  type Surroundings,
  systemSurroundings,
} from '@sealpost/platform';
import { type ErrorTable, errorsOf, fromUtf8, type Trust, vendorNameSchema } from '@sealpost/protocol';
import { readTrust } from '../config/trust.ts';
import { createBus } from '../platform/bus.ts';
import { startAttemptLoop } from './attempt-loop.ts';
import { storeReceipts } from './claims.ts';
import type { DispatcherConfig } from './config.ts';
import { privateJwkOf } from './dispatch-key-schema.ts';
import { createInboundStore } from './inbound.ts';
import { reached } from './points.ts';
import { startSweeping } from './sweep.ts';
import { createVendors } from './vendor.ts';
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

export interface DispatcherOptions {
  readonly logger: Logger;
  readonly surroundings?: Surroundings;
}

export type RunningDispatcher = RunningService & { readonly port: number };

/** Throws when configuration, trust, key or database do not let it start; then nothing is left running. */
export async function startDispatcher(
  config: DispatcherConfig,
  { logger, surroundings = systemSurroundings() }: DispatcherOptions,
): Promise<RunningDispatcher> {
  const trust = await readTrust(config);
  const key = await openDispatchKey(config, trust);
  const closing: (() => unknown)[] = [];
  try {
    return await run({ config, trust, key, logger, surroundings, closing });
  } catch (cause) {
    await closeAll(closing);
    throw cause;
  }
}

interface Parts extends Required<DispatcherOptions> {
  readonly config: DispatcherConfig;
  readonly trust: Trust;
  readonly key: DispatchKey;
  /** What to take down, in the order it was put up. */
  readonly closing: (() => unknown)[];
}

async function run({ config, trust, key, logger, surroundings, closing }: Parts): Promise<RunningDispatcher> {
  const { password_file, ...connection } = config.database;
  const database = openDatabase({ ...connection, password: readFileSync(password_file, 'utf8').trim() });
  closing.push(() => database.close());
  const bus = createBus({ database, logger });
  const vendors = createVendors(config, { surroundings, logger });
  const adapters = new Map([...vendors].map(([vendor, { adapter }]) => [vendor, adapter]));
  const storing = createTracker();
  const storeInbound = createInboundStore({
    sql: database,
    organisation: trust.organisation,
    recipient: trust.control.inbound,
    now: surroundings.now,
    logger,
  });
  const storeEvents = async (name: string, { receipts, inbound }: ProviderEvents) => {
    const vendor = vendorNameSchema.parse(name);
    await storeReceipts(database, vendor, receipts, surroundings.now());
    await storeInbound(vendor, inbound);
  };
  const store = async (vendor: string, events: ProviderEvents) => {
    reached('receipts.before-store');
    await storing.track(storeEvents(vendor, events));
    reached('receipts.stored');
    if (events.receipts.length > 0) bus.hint('outcome');
    if (events.inbound.length > 0) bus.hint('inbound');
  };
  const ready = () =>
    database.query('dispatch-ready', 'SELECT 1').then(
      () => undefined,
      () => 'database',
    );
  const { track } = storing;
  const server = await createWebhookServer({ adapters, logger, version: VERSION, ready, store, track });
  closing.push(() => bus.stop());
  await bus.start();
  closing.push(storing.ended);
  for (const [vendor, adapter] of adapters) {
    closing.push(() => adapter.stop());
    await adapter.start({ receive: (events) => store(vendor, events) });
  }
  const { concurrency } = config;
  const loop = startAttemptLoop({ concurrency, vendors, key, database, bus, logger, surroundings });
  closing.push(() => loop.stop());
  closing.push(startSweeping(database, surroundings.now, logger));
  closing.push(() => server.close());
  await server.listen({ host: config.listen.host, port: config.listen.port });
  const [address] = server.addresses();
  const port = typeof address === 'object' ? address.port : 0;
  logger.info('dispatcher ready', { port, count: adapters.size });
  return { port, stop: () => closeAll(closing) };
}

interface Tracker {
  readonly track: <T>(work: Promise<T>) => Promise<T>;
  /** Resolves when nothing that was tracked is under way. */
  readonly ended: () => Promise<void>;
}

function createTracker(): Tracker {
  const underWay = new Set<Promise<unknown>>();
  return {
    track(work) {
      underWay.add(work);
      const forget = () => underWay.delete(work);
      work.then(forget, forget);
      return work;
    },
    async ended() {
      while (underWay.size > 0) await Promise.allSettled(underWay);
    },
  };
}

/** Last up, first down; a part that fails to stop keeps no other from stopping. */
async function closeAll(closing: (() => unknown)[]): Promise<void> {
  for (const close of closing.splice(0).reverse())
    await Promise.resolve()
      .then(close)
      .catch(() => undefined);
}

async function openDispatchKey(config: DispatcherConfig, trust: Trust): Promise<DispatchKey> {
  const key = await importDispatchKey(privateJwkOf(fromUtf8(openKeyStore(config.keys).readSecret('dispatch'))));
  if (key.id !== trust.dispatch.id) throw dispatcherError('ERR_DISPATCHER_KEY');
  return key;
}
