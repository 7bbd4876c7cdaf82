/**
 * Deciding inputs: fold what the log knows of the message, ask the machine, append and carry out, in the transaction that
 * holds the lane. When one input fails, the batch is decided again with each input by itself, and the one that fails is
 * set aside: it neither stops its lane nor is lost.
 */
import type { Database, Logger, Sql, Surroundings } from '@sealpost/platform';
import { attemptIdSchema, type CompiledFlow, type FlowName } from '@sealpost/protocol';
import { reached } from '../../points.ts';
import type { Groups } from '../groups/index.ts';
import type { Log } from '../log/index.ts';
import { deliveryError } from './delivery-errors.ts';
import { carryOut } from './effects.ts';
import { Fenced } from './lease.ts';
import { decide } from './machine.ts';
import { codeOf, isOfTheServer, setAside } from './set-aside.ts';
import { foldDelivery } from './state.ts';
import type { Decision, Taken } from './types.ts';

export interface DecidingDeps {
  readonly database: Database;
  readonly logger: Logger;
  readonly surroundings: Surroundings;
  readonly log: Pick<Log, 'append' | 'eventsOf' | 'lockLane' | 'laneOf' | 'envelope'>;
  readonly groups: Pick<Groups, 'devices' | 'enqueue'>;
  readonly flowAt: (version: number, flow: FlowName) => Promise<CompiledFlow | undefined>;
}

/** Takes inputs of a lane inside a transaction that holds it. */
export type Take = (tx: Sql) => Promise<readonly Taken[]>;

export interface Deciding {
  /** Decides one input inside `tx`, which holds the lane; `undefined` when the lane knows no such message. */
  one(tx: Sql, lane: number, taken: Taken): Promise<Decision | undefined>;
  /** Decides what `take` takes, in one transaction. Throws only for what is not about one message. */
  all(lane: number, take: Take): Promise<Decision[]>;
}

export function createDeciding(deps: DecidingDeps): Deciding {
  const { database, log, groups, logger, surroundings } = deps;

  const one = async (tx: Sql, lane: number, { message, input }: Taken): Promise<Decision | undefined> => {
    const history = await log.eventsOf(tx, message);
    const state = foldDelivery(history.map(({ event }) => event));
    // The dispatcher's role writes outcomes; a lane it made up would be one nobody holds here.
    if (state === undefined || log.laneOf(state.accepted.conversation) !== lane) return undefined;
    const envelope = await log.envelope(tx, message);
    if (envelope === undefined && state.ended !== undefined) return undefined;
    if (envelope === undefined) throw deliveryError('ERR_DELIVERY_ENVELOPE');
    const flow = await deps.flowAt(state.accepted.bundle, state.accepted.flow);
    if (flow === undefined) throw deliveryError('ERR_DELIVERY_FLOW');
    const decision = decide(state, input, {
      now: surroundings.now(),
      message,
      flow,
      devices: (await groups.devices(tx, state.accepted.conversation)).length,
      forms: new Set(envelope.parts.flatMap((part) => (part.form === 'carrier' ? [part.channel] : []))),
      attemptId: () => attemptIdSchema.parse(surroundings.uuid()),
    });
    const laneKey = state.accepted.conversation;
    await log.append(
      tx,
      decision.events.map((event) => ({ laneKey, event })),
    );
    for (const effect of decision.effects) await carryOut(tx, effect, { groups, lane, message, envelope, flow });
    return decision;
  };

  const apart = async (tx: Sql, lane: number, taken: Taken): Promise<Decision | undefined> => {
    await tx.query('delivery-savepoint', 'SAVEPOINT input');
    try {
      const decision = await one(tx, lane, taken);
      await tx.query('delivery-release', 'RELEASE SAVEPOINT input');
      return decision;
    } catch (cause) {
      if (isOfTheServer(cause)) throw cause;
      await tx.query('delivery-back', 'ROLLBACK TO SAVEPOINT input');
      const failures = await setAside(tx, lane, taken, cause, surroundings.now());
      const fields = { code: codeOf(cause), lane, message: taken.message, state: taken.input.kind, count: failures };
      if (failures === 1) logger.error('input set aside', { ...fields, cause });
      else logger.warn('input set aside again', fields);
      return undefined;
    }
  };

  const inOneTransaction = (lane: number, take: Take, by: typeof one): Promise<Decision[]> =>
    database.transaction(async (tx) => {
      await log.lockLane(tx, lane);
      const made: Decision[] = [];
      for (const taken of await take(tx)) {
        const decision = await by(tx, lane, taken);
        if (decision !== undefined) made.push(decision);
      }
      reached('delivery.before-commit');
      return made;
    });

  return {
    one,
    async all(lane, take) {
      try {
        return await inOneTransaction(lane, take, one);
      } catch (cause) {
        if (cause instanceof Fenced || isOfTheServer(cause)) throw cause;
        return await inOneTransaction(lane, take, apart);
      }
    },
  };
}
