/**
 * One seed: a world is made, disturbed for a while, left in peace until it comes to rest, and judged. A run is a function
 * of its seed and of the code: the same two give the same story, told by its hash.
 */
import { Servers } from './disturbances.ts';
import type { Violation } from './invariants.ts';
import { People } from './people.ts';
import { Providers } from './providers.ts';
import type { ReceiptRow } from './rows.ts';
import { type Code, sharedMaterial, World } from './world.ts';

/** Far beyond what a world needs. */
const MOST_STEPS = 400_000;
/** Longest that rest may take: expiry, leases, and the pauses of inputs that were set aside. */
const REST_WITHIN = 7_200_000;
/** After this no name and no parked receipt may be kept (NAMES_KEPT in effects.ts, PARKED_FOR in delivery.ts). */
const OVER_A_WEEK = 9 * 86_400_000;
const SWEPT_WITHIN = 300_000;

export interface Run {
  readonly seed: number;
  readonly violation: Violation | undefined;
  /** Of everything that was told, of the number of steps, and of what chance would have said next. */
  readonly hash: string;
  readonly steps: number;
  readonly messages: number;
  readonly kills: number;
  readonly virtualMs: number;
  /** The story in words, when it was asked for. */
  readonly story: readonly string[];
}

export async function simulate(seed: number, code: Code, { story = false } = {}): Promise<Run> {
  const world = new World(seed, code, await sharedMaterial(), story);
  const { scheduler, judge, plan } = world;
  const began = scheduler.now;
  const people = new People(world);
  const providers = new Providers(world);
  const servers = new Servers(world, providers, people);
  for (const message of plan.messages) people.send(message);
  servers.disturb(people);

  const isAwake = () => world.calm && scheduler.now >= servers.awakeAt;
  const isQuiet = () => isAwake() && people.unaccepted + world.busy === 0 && providers.idle;
  const isAtRest = () => isQuiet() && judge.allEnded && nothingToDo(world);
  const isOver = (until: number) => judge.violation !== undefined || scheduler.now >= until;
  const last = plan.calmAt + REST_WITHIN;
  const how = await scheduler.run(() => isOver(last) || isAtRest(), MOST_STEPS);
  const virtualMs = scheduler.now - began;
  const rested = isAtRest();
  if (rested) {
    scheduler.skip(OVER_A_WEEK);
    const swept = scheduler.now + SWEPT_WITHIN;
    const isSwept = () => world.tables.name.rows.size + world.tables.receipt.rows.size === 0;
    await scheduler.run(() => isOver(swept) || isSwept(), MOST_STEPS);
  }
  const unrest = how === 'too-long' ? 'it goes on and on' : 'two hours were not enough';
  judge.atEnd(rested ? undefined : unrest);
  world.tell(`the end, after ${scheduler.steps} steps; chance would go on with ${world.random.integer(2 ** 32)}`);
  return {
    ...{ seed, violation: judge.violation, hash: world.digest, steps: scheduler.steps },
    ...{ messages: plan.messages.length, kills: servers.kills, virtualMs, story: world.told },
  };
}

function nothingToDo({ tables }: World): boolean {
  const isNamed = ({ vendor, ids }: ReceiptRow) => ids.some((id) => tables.name.rows.has(`${vendor}/${id}`));
  return (
    [tables.timer, tables.attempt, tables.outcome, tables.aside].every(({ rows }) => rows.size === 0) &&
    ![...tables.receipt.rows.values()].some(isNamed)
  );
}
