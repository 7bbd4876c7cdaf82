/**
 * Hints between parts of the gateway and between its nodes: in process at once, to other nodes by PostgreSQL NOTIFY at most
 * once a topic every 5 ms and never inside a message transaction (DESIGN section 7). A hint says "look again", never what
 * happened; a lost one costs one poll.
 */
import type { Database, Logger } from '@sealpost/platform';

export const TOPICS = ['lane', 'attempt', 'outcome', 'queue', 'position', 'directory', 'bundle', 'inbound'] as const;
export type Topic = (typeof TOPICS)[number];

/** How long a lost hint may cost: every listener polls at least this often. */
export const POLL_MS = 500;
const COALESCE_MS = 5;
const CHANNEL = 'sealpost';
const NOTIFY = 'SELECT pg_notify($1, topic) FROM unnest($2::text[]) AS topic';

export interface Bus {
  /** Tells everyone who listens, here and on other nodes. Call it after COMMIT. Never throws. */
  hint(topic: Topic): void;
  /** Calls `listener` on each hint; the answer ends that. */
  on(topic: Topic, listener: () => void): () => void;
  start(): Promise<void>;
  stop(): Promise<void>;
}

type Connection = Awaited<ReturnType<Database['connection']>>;

export function createBus({ database, logger }: { database: Database; logger: Logger }): Bus {
  const listeners = new Map<Topic, Set<() => void>>(TOPICS.map((topic) => [topic, new Set()]));
  const pending = new Set<Topic>();
  let connection: Connection | undefined;
  let timer: NodeJS.Timeout | undefined;
  let reconnect: NodeJS.Timeout | undefined;
  let running = false;
  let sending: Promise<unknown> = Promise.resolve();

  const deliver = (topic: Topic) => {
    for (const listener of listeners.get(topic) ?? []) listener();
  };

  const flush = () => {
    timer = undefined;
    const topics = [...pending];
    pending.clear();
    // A failed NOTIFY is a lost hint; the poll makes up for it.
    sending = sending.then(() => connection?.sql.query('bus-notify', NOTIFY, [CHANNEL, topics])).catch(() => undefined);
  };

  const listen = async () => {
    const opened = await database.connection();
    const own = (opened.client as { processID?: number | null }).processID;
    opened.client.on('notification', ({ processId, payload }) => {
      const topic = TOPICS.find((name) => name === payload);
      if (topic !== undefined && processId !== own) deliver(topic);
    });
    opened.client.on('error', () => lose(opened));
    opened.client.on('end', () => lose(opened));
    await opened.client.query(`LISTEN ${CHANNEL}`);
    connection = opened;
  };

  const lose = (lost: Connection) => {
    if (connection !== lost) return;
    connection = undefined;
    lost.release(true);
    if (!running) return;
    logger.warn('hints between nodes lost', { reason: 'connection' });
    retry();
  };

  const retry = () => {
    reconnect = setTimeout(() => {
      if (running) listen().catch(retry);
    }, POLL_MS);
  };

  return {
    hint(topic) {
      deliver(topic);
      if (!running) return;
      pending.add(topic);
      timer ??= setTimeout(flush, COALESCE_MS);
    },
    on(topic, listener) {
      const set = listeners.get(topic);
      set?.add(listener);
      return () => void set?.delete(listener);
    },
    async start() {
      running = true;
      await listen();
    },
    async stop() {
      running = false;
      clearTimeout(timer);
      clearTimeout(reconnect);
      await sending;
      const last = connection;
      connection = undefined;
      last?.release(true);
    },
  };
}
