/**
 * The log of one gateway: appending, reading, and a background sequencer. `append` and the readers take the caller's
 * connection or transaction; everything else uses the log's own.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Database, Logger, Sql, Surroundings } from '@sealpost/platform';
import type { Envelope, Evidence, LogEvent, MessageId, Timeline, Timestamp } from '@sealpost/protocol';
import type { NoteSigner, Tile, VerifierKey } from '@sealpost/tlog';
import { type Bus, POLL_MS } from '../../platform/bus.ts';
import { reached } from '../../points.ts';
import { append, lockLane } from './append.ts';
import { keepCosignature } from './cosign.ts';
import { exportLines } from './export-lines.ts';
import type { Appended, LaneEvent, Sequenced } from './lane-event.ts';
import { laneOf } from './lanes.ts';
import { evidenceOf, type Place, placesOf, readTile } from './proofs.ts';
import { eventsOf, histories, readEnvelope, readEnvelopes, readFeed, readLane, results, timeline } from './reader.ts';
import { createSequencer, isDamage } from './sequencer.ts';
import { latestCheckpoint, type StoredCheckpoint } from './sequencer-store.ts';

/** An accepted event is in the tree, under a signed head, within this time (DESIGN section 8). */
export const PROMISED_MS = 60_000;
/** After a hint the sequencer waits this long, so that one step takes many events. */
const GATHER_MS = 20;

export interface LogDeps {
  readonly database: Database;
  readonly bus: Bus;
  readonly logger: Logger;
  readonly surroundings: Surroundings;
  /** Signs checkpoints; its name is the origin. */
  readonly signer: NoteSigner;
  /** The log's verifier key as the trust file spells it, and parsed. */
  readonly logKey: string;
  readonly verifier: VerifierKey;
  readonly witness: VerifierKey;
}

export interface Log {
  laneOf(key: string): number;
  /** Appends in the caller's transaction; gapless a lane, in the order given. Hint 'lane' after COMMIT. */
  append(tx: Sql, entries: readonly { readonly laneKey: string; readonly event: LogEvent }[]): Promise<Appended[]>;
  lockLane(tx: Sql, lane: number): Promise<void>;
  eventsOf(sql: Sql, message: MessageId): Promise<LaneEvent[]>;
  /** Events of many messages, each in lane order; messages without any are left out. */
  histories(sql: Sql, messages: readonly MessageId[]): Promise<Map<MessageId, LogEvent[]>>;
  read(sql: Sql, lane: number, after: number, limit: number): Promise<LaneEvent[]>;
  /** `undefined` when there is no such message. */
  envelope(sql: Sql, message: MessageId): Promise<Envelope | undefined>;
  /** The same of many at once; unknown messages are left out. */
  envelopes(sql: Sql, messages: readonly MessageId[]): Promise<Map<MessageId, Envelope>>;
  timeline(message: MessageId): Promise<Timeline | undefined>;
  /** Sequenced events after a position; waits up to `waitMs` for the first. */
  feed(after: number, limit: number, waitMs: number): Promise<Sequenced[]>;
  /** `undefined` until a checkpoint covers the event. */
  evidence(place: Place): Promise<Evidence | undefined>;
  /** Of a message's entries after a position, those a checkpoint covers, in log order. */
  messageEvidence(message: MessageId, after: number, limit: number): Promise<Evidence[]>;
  /** The events that tell how each of these messages stands. */
  results(messages: readonly MessageId[]): Promise<LogEvent[]>;
  /** The newest signed head; `undefined` before the first. */
  checkpoint(): string | undefined;
  tile(tile: Tile): Promise<Uint8Array | undefined>;
  cosign(note: string): Promise<void>;
  exportLines(): AsyncIterable<string>;
  /** Whether everything accepted up to `PROMISED_MS` ago is under a signed head. */
  healthy(now: Timestamp): boolean;
  /** Sequences what is there and signs, now: for tests and orderly ends. */
  settle(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export function createLog(deps: LogDeps): Log {
  const { database, bus, logger, surroundings } = deps;
  const sequencer = createSequencer({
    database,
    logger,
    now: surroundings.now,
    signer: deps.signer,
    owner: surroundings.uuid(),
  });
  let head: StoredCheckpoint | undefined;
  let stopping: AbortController | undefined;
  let loop: Promise<void> = Promise.resolve();
  let wake: () => void = () => undefined;
  let woken = false;
  let working: Promise<unknown> = Promise.resolve();

  const refresh = async () => {
    head = (await latestCheckpoint(database)) ?? head;
  };

  const stepOnce = async (signNow: boolean) => {
    const outcome = await sequencer.step({ signNow });
    await refresh();
    if (outcome === 'moved') bus.hint('position');
    return outcome;
  };

  /** One step at a time in this process, whoever asked for it. */
  const step = (signNow = false) => {
    const next = working.catch(() => undefined).then(() => stepOnce(signNow));
    working = next;
    return next;
  };

  const run = async (signal: AbortSignal) => {
    while (!signal.aborted) {
      woken = false;
      try {
        await step();
      } catch (cause) {
        if (signal.aborted) return;
        if (isDamage(cause)) return logger.error('the log is damaged', { code: 'ERR_LOG_GAP', cause });
        // The database being away is the usual reason; intake refuses once the head is too old.
        logger.warn('sequencing failed', { reason: cause instanceof Error ? cause.name : 'unknown' });
      }
      await hinted(signal);
    }
  };

  /** Until the next hint plus a moment for more, or the poll. */
  const hinted = async (signal: AbortSignal) => {
    const waiting = new AbortController();
    const hint = new Promise<void>((resolve) => {
      wake = resolve;
      if (woken) resolve();
    });
    const poll = delay(POLL_MS, undefined, { signal: AbortSignal.any([signal, waiting.signal]) }).catch(
      () => undefined,
    );
    await Promise.race([hint.then(() => delay(GATHER_MS)), poll]);
    waiting.abort();
  };

  return {
    laneOf,
    append: (tx, entries) => append(tx, entries, surroundings.random),
    lockLane,
    eventsOf,
    histories,
    read: readLane,
    envelope: readEnvelope,
    envelopes: readEnvelopes,
    timeline: (message) => timeline(database, message),
    async feed(after, limit, waitMs) {
      const deadline = surroundings.now() + waitMs;
      for (;;) {
        const moved = nextHint(bus);
        const events = await readFeed(database, after, limit);
        const left = deadline - surroundings.now();
        if (events.length > 0 || left <= 0) {
          moved.forget();
          return events;
        }
        await Promise.race([moved.hint, delay(Math.min(left, POLL_MS))]);
        moved.forget();
      }
    },
    async evidence(place) {
      await refresh();
      return await evidenceOf(database, place, head, surroundings.now());
    },
    async messageEvidence(message, after, limit) {
      await refresh();
      const proved: Evidence[] = [];
      for (const place of await placesOf(database, message, after, limit)) {
        const evidence = await evidenceOf(database, place, head, surroundings.now());
        if (evidence !== undefined) proved.push(evidence);
      }
      return proved;
    },
    results: (messages) => results(database, messages),
    checkpoint: () => head?.note,
    tile: (tile) => readTile(database, tile),
    async cosign(note) {
      await keepCosignature(database, note, { logKey: deps.verifier, witness: deps.witness });
      reached('log.cosigned');
      await refresh();
    },
    exportLines: () => exportLines(database, deps.logKey),
    healthy: (now) => head !== undefined && now - head.at <= PROMISED_MS,
    async settle() {
      while ((await step(true)) === 'moved' && !(await drained(database)));
    },
    async start() {
      await step(true);
      const controller = new AbortController();
      stopping = controller;
      const off = bus.on('lane', () => {
        woken = true;
        wake();
      });
      loop = run(controller.signal).finally(off);
    },
    async stop() {
      stopping?.abort();
      wake();
      await loop;
      await working.catch(() => undefined);
      await sequencer.release().catch(() => undefined);
    },
  };
}

function nextHint(bus: Bus): { hint: Promise<void>; forget: () => void } {
  let forget: () => void = () => undefined;
  const hint = new Promise<void>((resolve) => {
    forget = bus.on('position', resolve);
  });
  return { hint, forget };
}

const BEHIND = 'SELECT 1 FROM log_lane s JOIN lane l USING (lane) WHERE l.head > s.sequenced LIMIT 1';

async function drained(sql: Sql): Promise<boolean> {
  return (await sql.query('log-behind', BEHIND)).length === 0;
}
