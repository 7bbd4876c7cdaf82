/**
 * Deciding inputs: fold what the log knows of their messages, ask the machine about each in turn, append and carry out, in
 * the transaction that holds the lane. When one input fails, the batch is decided again with each input by itself, and the one that fails is
 * set aside: it neither stops its lane nor is lost.
 */
import type { Database, Logger, Sql, Surroundings } from '@sealpost/platform';
import {
  attemptIdSchema,
  type Bundle,
  type CompiledFlow,
  type Envelope,
  type FlowName,
  type MessageId,
} from '@sealpost/protocol';
import { reached } from '../../points.ts';
import type { Groups } from '../groups/index.ts';
import type { Log } from '../log/index.ts';
import { NO_FACTS, type RouteFacts, type Router } from '../routing/index.ts';
import { deliveryError } from './delivery-errors.ts';
import { carryOut } from './effects.ts';
import { Fenced } from './lease.ts';
import { decide } from './machine.ts';
import { codeOf, isOfTheServer, setAside } from './set-aside.ts';
import { applyEvent, type DeliveryState, foldDelivery } from './state.ts';
import type { Decision, DeviceId, Taken } from './types.ts';

export interface DecidingDeps {
  readonly database: Database;
  readonly logger: Logger;
  readonly surroundings: Surroundings;
  readonly log: Pick<Log, 'append' | 'histories' | 'lockLane' | 'laneOf' | 'envelopes'>;
  readonly groups: Pick<Groups, 'devicesOf' | 'enqueue' | 'unqueue'>;
  readonly flowAt: (version: number, flow: FlowName) => Promise<CompiledFlow | undefined>;
  readonly router: Router;
  readonly bundle: () => Bundle | undefined;
}

/** A message while its inputs are decided. */
interface Case {
  state: DeliveryState;
  readonly envelope: Envelope;
  readonly flow: CompiledFlow;
  /** Of its conversation, as the batch found them. */
  readonly devices: readonly DeviceId[];
  readonly route: RouteFacts;
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

  /** Reads what there is to know of these messages, in a few statements however many they are. */
  const casesOf = async (tx: Sql, lane: number, messages: readonly MessageId[]): Promise<Map<MessageId, Case>> => {
    const histories = await log.histories(tx, messages);
    const states = new Map<MessageId, DeliveryState>();
    for (const [message, history] of histories) {
      const state = foldDelivery(history);
      // The dispatcher's role writes outcomes; a lane it made up would be one nobody holds here.
      if (state !== undefined && log.laneOf(state.accepted.conversation) === lane) states.set(message, state);
    }
    const envelopes = await log.envelopes(tx, [...states.keys()]);
    const conversations = [...states.values()].map(({ accepted }) => accepted.conversation);
    const devices = await groups.devicesOf(tx, [...new Set(conversations)]);
    const found: (Omit<Case, 'route'> & { readonly message: MessageId })[] = [];
    for (const [message, state] of states) {
      const envelope = envelopes.get(message);
      if (envelope === undefined && state.ended !== undefined) continue;
      if (envelope === undefined) throw deliveryError('ERR_DELIVERY_ENVELOPE');
      const flow = await deps.flowAt(state.accepted.bundle, state.accepted.flow);
      if (flow === undefined) throw deliveryError('ERR_DELIVERY_FLOW');
      found.push({ message, state, envelope, flow, devices: devices.get(state.accepted.conversation) ?? [] });
    }
    const routes = await deps.router.facts(
      tx,
      found.map(({ flow, state }) => ({ flow, recipient: state.accepted.recipient })),
    );
    return new Map(
      found.map(({ message, ...known }, index) => [message, { ...known, route: routes[index] ?? NO_FACTS }]),
    );
  };

  const decideOne = (known: Case, { message, input }: Taken): Decision => {
    const { state, envelope, flow, devices, route } = known;
    const decision = decide(state, input, {
      now: surroundings.now(),
      message,
      flow,
      devices: devices.length,
      route,
      forms: new Set(envelope.parts.flatMap((part) => (part.form === 'carrier' ? [part.channel] : []))),
      attemptId: () => attemptIdSchema.parse(surroundings.uuid()),
    });
    // The next input about this message in the same batch goes on from here.
    for (const event of decision.events) known.state = applyEvent(known.state, event) ?? known.state;
    return decision;
  };

  const several = async (tx: Sql, lane: number, taken: readonly Taken[]): Promise<Decision[]> => {
    const cases = await casesOf(tx, lane, [...new Set(taken.map(({ message }) => message))]);
    const made = taken.flatMap((one) => {
      const known = cases.get(one.message);
      return known === undefined ? [] : [{ message: one.message, known, decision: decideOne(known, one) }];
    });
    const events = made.flatMap(({ known, decision }) =>
      decision.events.map((event) => ({ laneKey: known.envelope.conversation, event })),
    );
    await log.append(tx, events);
    for (const { message, known, decision } of made) {
      for (const effect of decision.effects)
        await carryOut(tx, effect, { groups, lane, message, bundle: deps.bundle(), ...known });
    }
    return made.map(({ decision }) => decision);
  };

  const apart = async (tx: Sql, lane: number, taken: Taken): Promise<Decision[]> => {
    await tx.query('delivery-savepoint', 'SAVEPOINT input');
    try {
      const decisions = await several(tx, lane, [taken]);
      await tx.query('delivery-release', 'RELEASE SAVEPOINT input');
      return decisions;
    } catch (cause) {
      if (isOfTheServer(cause)) throw cause;
      await tx.query('delivery-back', 'ROLLBACK TO SAVEPOINT input');
      const failures = await setAside(tx, lane, taken, cause, surroundings.now());
      const fields = { code: codeOf(cause), lane, message: taken.message, state: taken.input.kind, count: failures };
      if (failures === 1) logger.error('input set aside', { ...fields, cause });
      else logger.warn('input set aside again', fields);
      return [];
    }
  };

  const eachApart = async (tx: Sql, lane: number, taken: readonly Taken[]): Promise<Decision[]> => {
    const made: Decision[] = [];
    for (const one of taken) made.push(...(await apart(tx, lane, one)));
    return made;
  };

  const inOneTransaction = (lane: number, take: Take, by: typeof several): Promise<Decision[]> =>
    database.transaction(async (tx) => {
      await log.lockLane(tx, lane);
      const made = await by(tx, lane, await take(tx));
      reached('delivery.before-commit');
      return made;
    });

  return {
    one: async (tx, lane, taken) => (await several(tx, lane, [taken]))[0],
    async all(lane, take) {
      try {
        return await inOneTransaction(lane, take, several);
      } catch (cause) {
        if (cause instanceof Fenced || isOfTheServer(cause)) throw cause;
        return await inOneTransaction(lane, take, eachApart);
      }
    },
  };
}
