/**
 * Delivery: decides about every accepted message, one lane at a time, by the pure machine. One transaction holds the lane,
 * takes its inputs, appends the events and carries out the effects; killed anywhere, the next owner goes on from there.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Database, Logger, Sql, Surroundings } from '@sealpost/platform';
import {
  attemptIdSchema,
  type CompiledFlow,
  type ConversationId,
  type FlowName,
  type MessageId,
} from '@sealpost/protocol';
import { type Bus, POLL_MS } from '../../platform/bus.ts';
import type { Directory } from '../directory/index.ts';
import type { Groups } from '../groups/index.ts';
import type { Log } from '../log/index.ts';
import { createReceiptIntake, type ReceiptResult } from './device-receipt.ts';
import { carryOut } from './effects.ts';
import { findWaiting, prune, take, type Waiting } from './inbox.ts';
import { claimLanes, LEASE_MS, lanesBehind, moveCursor, type OwnedLane, releaseLanes } from './lease.ts';
import { decide } from './machine.ts';
import { foldDelivery } from './state.ts';
import type { Decision, DeviceId, Taken } from './types.ts';

const EVENTS_AT_ONCE = 500;
const PARKED_FOR = 86_400_000;
const PRUNE_EVERY = 60_000;

export interface DeliveryDeps {
  readonly database: Database;
  readonly bus: Bus;
  readonly logger: Logger;
  readonly surroundings: Surroundings;
  readonly organisation: string;
  readonly log: Pick<Log, 'append' | 'eventsOf' | 'read' | 'lockLane' | 'laneOf' | 'envelope'>;
  readonly groups: Pick<Groups, 'devices' | 'enqueue'>;
  readonly directory: Pick<Directory, 'device'>;
  /** The flow as the bundle of that version had it. */
  readonly flowAt: (version: number, flow: FlowName) => Promise<CompiledFlow | undefined>;
}

export interface Delivery {
  /** One signed receipt of a device that has proved itself; see sync and POST /v1/receipts. */
  deviceReceipt(jws: string, device: DeviceId): Promise<ReceiptResult>;
  /** Decides everything there is to decide now; answers whether there was anything. */
  step(): Promise<boolean>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

class Fenced extends Error {}

export function createDelivery(deps: DeliveryDeps): Delivery {
  const { database, bus, log, groups, logger, surroundings } = deps;
  const owner = surroundings.uuid();
  let leasedUntil = 0;
  let prunedAt = 0;
  const stopping = new AbortController();
  let loop: Promise<void> = Promise.resolve();

  /** Decides one input about one message inside `tx`, which holds its lane. */
  const decideOne = async (tx: Sql, { message, input }: Taken): Promise<Decision | undefined> => {
    const history = await log.eventsOf(tx, message);
    const state = foldDelivery(history.map(({ event }) => event));
    const envelope = await log.envelope(tx, message);
    if (state === undefined || envelope === undefined) return undefined;
    const flow = await deps.flowAt(state.accepted.bundle, state.accepted.flow);
    if (flow === undefined) return undefined;
    const decision = decide(state, input, {
      now: surroundings.now(),
      message,
      flow,
      devices: (await groups.devices(tx, state.accepted.conversation)).length,
      forms: new Set(envelope.parts.flatMap((part) => (part.form === 'carrier' ? [part.channel] : []))),
      attemptId: () => attemptIdSchema.parse(surroundings.uuid()),
    });
    await log.append(
      tx,
      decision.events.map((event) => ({ laneKey: state.accepted.conversation, event })),
    );
    const context = { groups, lane: log.laneOf(state.accepted.conversation), message, envelope, flow };
    for (const effect of decision.effects) await carryOut(tx, effect, context);
    return decision;
  };

  const hintAfter = (decisions: readonly Decision[]) => {
    if (decisions.some(({ events }) => events.length > 0)) bus.hint('lane');
    const effects = decisions.flatMap((decision) => decision.effects);
    if (effects.some(({ kind }) => kind === 'attempt')) bus.hint('attempt');
    if (effects.some(({ kind }) => kind === 'fan-out')) bus.hint('queue');
  };

  /** New acceptances of one lane, in order. */
  const followLane = async (lane: OwnedLane) => {
    const decisions = await database.transaction(async (tx) => {
      await log.lockLane(tx, lane.lane);
      const events = await log.read(tx, lane.lane, lane.decided, EVENTS_AT_ONCE);
      const made: Decision[] = [];
      for (const { event } of events) {
        if (event.kind !== 'message.accepted') continue;
        const decision = await decideOne(tx, { message: event.message, input: { kind: 'accepted' } });
        if (decision !== undefined) made.push(decision);
      }
      const decided =
        events.length < EVENTS_AT_ONCE
          ? Math.max(lane.head, events.at(-1)?.sequence ?? 0)
          : (events.at(-1)?.sequence ?? lane.head);
      if (!(await moveCursor(tx, lane, owner, decided))) throw new Fenced();
      return made;
    });
    hintAfter(decisions);
  };

  const decideLane = async (lane: number, waiting: readonly Waiting[]) => {
    const decisions = await database.transaction(async (tx) => {
      await log.lockLane(tx, lane);
      const made: Decision[] = [];
      for (const taken of await take(tx, waiting)) {
        const decision = await decideOne(tx, taken);
        if (decision !== undefined) made.push(decision);
      }
      return made;
    });
    hintAfter(decisions);
  };

  const renew = async () => {
    const now = surroundings.now();
    if (leasedUntil - now > LEASE_MS / 2) return;
    await claimLanes(database, owner, now);
    leasedUntil = now + LEASE_MS;
  };

  const step = async (): Promise<boolean> => {
    await renew();
    const behind = await lanesBehind(database, owner);
    for (const lane of behind) {
      await followLane(lane).catch((cause: unknown) => {
        if (!(cause instanceof Fenced)) throw cause;
        leasedUntil = 0;
      });
    }
    const waiting = await findWaiting(database, surroundings.now());
    const lanes = new Set(waiting.map(({ lane }) => lane));
    for (const lane of lanes)
      await decideLane(
        lane,
        waiting.filter((row) => row.lane === lane),
      );
    if (surroundings.now() - prunedAt > PRUNE_EVERY) {
      prunedAt = surroundings.now();
      await prune(database, prunedAt - PARKED_FOR);
    }
    return behind.length > 0 || waiting.length > 0;
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

  /** Records a verified receipt; `false` when this device has said the same before. */
  async function recordReceipt(
    conversation: ConversationId,
    message: MessageId,
    input: Taken['input'],
  ): Promise<boolean> {
    const decision = await database.transaction(async (tx) => {
      await log.lockLane(tx, log.laneOf(conversation));
      return decideOne(tx, { message, input });
    });
    if (decision === undefined) return false;
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
