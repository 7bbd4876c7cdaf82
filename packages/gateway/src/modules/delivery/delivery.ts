/**
 * Delivery: decides about every accepted message, one lane at a time, by the pure machine. One transaction holds the lane,
 * takes its inputs, appends the events and carries out the effects; killed anywhere, the next owner goes on from there.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Database, Logger, Sql, Surroundings } from '@sealpost/platform';
import type { Bundle, CompiledFlow, Envelope, FlowName, gatewayApi, MessageId } from '@sealpost/protocol';
import { type Bus, POLL_MS } from '../../platform/bus.ts';
import { reached } from '../../points.ts';
import type { Directory } from '../directory/index.ts';
import type { Groups } from '../groups/index.ts';
import type { Log } from '../log/index.ts';
import type { Router } from '../routing/index.ts';
import { createDeciding, type Take } from './deciding.ts';
import { deliveryError } from './delivery-errors.ts';
import { createReceiptIntake, type ReceiptResult } from './device-receipt.ts';
import { findWaiting, prune, take } from './inbox.ts';
import { claimLanes, Fenced, LEASE_MS, lanesBehind, moveCursor, type OwnedLane, releaseLanes } from './lease.ts';
import { codeOf, isOfTheServer } from './set-aside.ts';
import { foldDelivery } from './state.ts';
import type { Decision, DeviceId, Taken } from './types.ts';

/** Intake into a lane waits while a batch of it is decided. */
const EVENTS_AT_ONCE = 100;
const PARKED_FOR = 86_400_000;
const PRUNE_EVERY = 60_000;

export interface DeliveryDeps {
  readonly database: Database;
  readonly bus: Bus;
  readonly logger: Logger;
  readonly surroundings: Surroundings;
  readonly organisation: string;
  readonly log: Pick<Log, 'append' | 'histories' | 'read' | 'lockLane' | 'laneOf' | 'envelope' | 'envelopes'>;
  readonly groups: Pick<Groups, 'devices' | 'devicesOf' | 'enqueue' | 'unqueue'>;
  readonly directory: Pick<Directory, 'device'>;
  /** The flow as the bundle of that version had it. */
  readonly flowAt: (version: number, flow: FlowName) => Promise<CompiledFlow | undefined>;
  /** The bundle that runs now. */
  readonly bundle: () => Bundle | undefined;
  readonly router: Router;
}

export interface Delivery {
  /** One signed receipt of a device that has proved itself; see sync and POST /v1/receipts. */
  deviceReceipt(jws: string, device: DeviceId): Promise<ReceiptResult>;
  /** Ends a message that has not ended; what can be taken back is. Throws ERR_DELIVERY_MESSAGE. */
  revoke(message: MessageId, by: string): Promise<gatewayApi.RevokeAnswer>;
  /** Decides everything there is to decide now; answers whether there was anything. */
  step(): Promise<boolean>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export function createDelivery(deps: DeliveryDeps): Delivery {
  const { database, bus, log, logger, surroundings } = deps;
  const deciding = createDeciding(deps);
  const owner = surroundings.uuid();
  let leasedUntil = 0;
  let prunedAt = 0;
  const stopping = new AbortController();
  let loop: Promise<void> = Promise.resolve();

  const hintAfter = (decisions: readonly Decision[]) => {
    if (decisions.some(({ events }) => events.length > 0)) bus.hint('lane');
    const kinds = new Set(decisions.flatMap(({ effects }) => effects.map(({ kind }) => kind)));
    if (kinds.has('attempt') || kinds.has('withdraw') || kinds.has('take-back') || kinds.has('keep'))
      bus.hint('attempt');
    if (kinds.has('fan-out')) bus.hint('queue');
  };

  /**
   * New acceptances of one lane, in order. Sequence numbers are given under the lane's lock, which is held here: whatever
   * has a number up to the lane's head is committed and seen, so no later commit can slip in below the cursor.
   */
  const newIn = async (tx: Sql, lane: OwnedLane): Promise<Taken[]> => {
    const events = await log.read(tx, lane.lane, lane.decided, EVENTS_AT_ONCE);
    const last = events.at(-1)?.sequence ?? lane.decided;
    await moveCursor(tx, lane, owner, events.length < EVENTS_AT_ONCE ? Math.max(lane.head, last) : last);
    return events.flatMap(({ event }) =>
      event.kind === 'message.accepted' ? [{ message: event.message, input: { kind: 'accepted' } }] : [],
    );
  };

  /** One lane's trouble keeps no other lane waiting; that of the server is everyone's. Answers whether it went well. */
  const decideLane = async (lane: number, taking: Take): Promise<boolean> => {
    try {
      const decisions = await deciding.all(lane, taking);
      reached('delivery.committed');
      hintAfter(decisions);
      return true;
    } catch (cause) {
      if (isOfTheServer(cause)) throw cause;
      if (cause instanceof Fenced) leasedUntil = 0;
      else logger.warn('lane not decided', { lane, code: codeOf(cause) });
      return false;
    }
  };

  const renew = async () => {
    const now = surroundings.now();
    if (leasedUntil - now > LEASE_MS / 2) return;
    await claimLanes(database, owner, now);
    leasedUntil = now + LEASE_MS;
  };

  const follow = async (): Promise<boolean> => {
    let progress = false;
    for (const lane of await lanesBehind(database, owner)) {
      if (await decideLane(lane.lane, (tx) => newIn(tx, lane))) progress = true;
    }
    return progress;
  };

  const decideWaiting = async (): Promise<boolean> => {
    const lanes = Map.groupBy(await findWaiting(database, surroundings.now()), ({ lane }) => lane);
    let progress = false;
    for (const [lane, waiting] of lanes) {
      if (await decideLane(lane, (tx) => take(tx, lane, waiting))) progress = true;
    }
    return progress;
  };

  const pruneNowAndThen = async () => {
    const now = surroundings.now();
    if (now - prunedAt <= PRUNE_EVERY) return;
    prunedAt = now;
    for (const { vendor, count } of await prune(database, now - PARKED_FOR))
      logger.warn('receipts of no known message dropped', { vendor, count });
  };

  const step = async (): Promise<boolean> => {
    await renew();
    const followed = await follow();
    const decided = await decideWaiting();
    await pruneNowAndThen();
    return followed || decided;
  };

  const run = async () => {
    while (!stopping.signal.aborted) {
      const hint = nextHint(bus, stopping.signal);
      try {
        if (await step()) continue;
      } catch (cause) {
        // Mostly the database being away; nothing was decided, so the same inputs are found again.
        logger.warn('deciding failed', { reason: cause instanceof Error ? cause.name : 'unknown' });
        await delay(POLL_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
        continue;
      }
      await hint;
    }
  };

  return {
    deviceReceipt: createReceiptIntake({ ...deps, record: recordReceipt }),
    revoke,
    step,
    async start() {
      await renew();
      loop = run();
    },
    async stop() {
      stopping.abort();
      await loop;
      await releaseLanes(database, owner).catch(() => undefined);
    },
  };

  async function revoke(message: MessageId, by: string): Promise<gatewayApi.RevokeAnswer> {
    const envelope = await log.envelope(database, message);
    if (envelope === undefined) throw deliveryError('ERR_DELIVERY_MESSAGE');
    await deps.flowAt(envelope.bundle, envelope.flow);
    const lane = log.laneOf(envelope.conversation);
    const { decision, state } = await database.transaction(async (tx) => {
      await log.lockLane(tx, lane);
      const made = await deciding.one(tx, lane, { message, input: { kind: 'revoke', by } });
      const history = (await log.histories(tx, [message])).get(message);
      return { decision: made, state: foldDelivery(history ?? [])?.ended };
    });
    if (decision === undefined || state === undefined) throw deliveryError('ERR_DELIVERY_MESSAGE');
    hintAfter([decision]);
    if (decision.events.length > 0) return { outcome: 'done', state };
    return { outcome: state === 'revoked' ? 'already' : 'ended', state };
  }

  /** Records a verified receipt; `false` when this device has said the same before. */
  async function recordReceipt(envelope: Envelope, input: Taken['input']): Promise<boolean> {
    // Found before a connection is held: many receipts at once must not wait for each other's connections.
    await deps.flowAt(envelope.bundle, envelope.flow);
    const lane = log.laneOf(envelope.conversation);
    const decision = await database.transaction(async (tx) => {
      await log.lockLane(tx, lane);
      const decided = await deciding.one(tx, lane, { message: envelope.message, input });
      reached('receipt.before-commit');
      return decided;
    });
    reached('receipt.committed');
    if (decision === undefined) throw deliveryError('ERR_DELIVERY_UNDECIDED');
    hintAfter([decision]);
    return decision.events.length > 0;
  }
}

/** The next hint of something to decide, the next poll, or the end. */
async function nextHint(bus: Bus, signal: AbortSignal): Promise<void> {
  const woken = new AbortController();
  const wake = () => woken.abort();
  const offs = [bus.on('lane', wake), bus.on('outcome', wake)];
  await delay(TICK_MS, undefined, { signal: AbortSignal.any([signal, woken.signal]) }).catch(() => undefined);
  for (const off of offs) off();
}

/** Timers come due without a hint; this bounds how late one may be. */
const TICK_MS = 100;
