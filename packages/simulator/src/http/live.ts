/**
 * `GET /live`: what there is to see, as server-sent events (WHATWG HTML, section 9.2). Each event is the whole state of
 * that moment, bounded, so a page holds no history of its own and one that reads slowly gets fewer events, never a queue.
 */
import type { ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { Changes } from '../changes.ts';
import type { Delays } from '../delays.ts';
import type { Carrier, Fault, Faults } from '../faults.ts';
import type { Phones, PhoneView } from '../phones.ts';
import type { Traffic, TrafficEntry } from '../traffic.ts';
import { fromAnotherOrigin } from './own-origin.ts';
import { problem } from './problem.ts';

/** A browser opens at most six connections to one origin (HTTP/1.1), and nobody watches with many. */
const MOST_WATCHERS = 16;
/** Changes this close together are one event. */
const PAUSE_MS = 60;
const MOST_PHONES = 20;
const MOST_SHOWN = 30;
const MOST_TRAFFIC = 30;
const MOST_RAW = 4_000;

export interface LiveState {
  readonly phones: readonly (PhoneView & {
    /** Messages a carrier holds for it while it is off the network. */
    readonly waiting: number;
  })[];
  /** The newest last. */
  readonly traffic: readonly TrafficEntry[];
  readonly faults: Readonly<Record<Carrier, readonly Fault[]>>;
}

export interface LiveOptions {
  readonly phones: Phones;
  readonly traffic: Traffic;
  readonly faults: Readonly<Record<Carrier, Faults>>;
  readonly changes: Changes;
  readonly delays: Delays;
}

export async function liveRoutes(app: FastifyInstance, options: LiveOptions): Promise<void> {
  const { changes, delays } = options;
  const watchers = new Set<ServerResponse>();
  let announced = false;

  const tell = (watcher: ServerResponse, state: string): void => {
    if (!watcher.writableNeedDrain) watcher.write(`data: ${state}\n\n`);
  };
  const tellAll = async (): Promise<void> => {
    if (announced || watchers.size === 0) return;
    announced = true;
    const passed = await delays.pause(PAUSE_MS);
    announced = false;
    if (!passed) return;
    const state = JSON.stringify(liveState(options));
    for (const watcher of watchers) tell(watcher, state);
  };
  app.addHook('onClose', async () => stopListening());
  const stopListening = changes.onChange(() => void tellAll());

  app.get('/live', async (request, reply) => {
    if (fromAnotherOrigin(request)) return problem(reply, 403, 'asked by a page of another origin');
    if (watchers.size >= MOST_WATCHERS) return problem(reply, 503, `${MOST_WATCHERS} pages are watching already`);
    const watcher = reply.hijack().raw;
    watcher.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    watchers.add(watcher);
    watcher.on('close', () => watchers.delete(watcher));
    // What was left out while it could not take more is in the state it gets then.
    watcher.on('drain', () => tell(watcher, JSON.stringify(liveState(options))));
    tell(watcher, JSON.stringify(liveState(options)));
  });
}

function liveState({ phones, traffic, faults }: LiveOptions): LiveState {
  const short = (entry: TrafficEntry) => ({ ...entry, raw: entry.raw.slice(0, MOST_RAW) });
  return {
    phones: phones
      .list()
      .slice(0, MOST_PHONES)
      .map((phone) => ({
        ...phone,
        messages: phone.messages.slice(-MOST_SHOWN),
        waiting: phones.waiting(phone.number),
      })),
    traffic: traffic.list().slice(-MOST_TRAFFIC).map(short),
    faults: { rbm: faults.rbm.current(), smsc: faults.smsc.current() },
  };
}
