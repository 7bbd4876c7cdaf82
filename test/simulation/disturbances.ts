/**
 * What goes wrong with servers until the calm: a process is killed wherever it is (between any two statements, before or
 * after a COMMIT) and started again later, stands still longer than its leases, has its clock set; the bundle changes, the
 * flows cannot be had for a while, devices go offline.
 */
import type { People } from './people.ts';
import { type Disturbances, VENDORS } from './plan.ts';
import type { Gate, Providers } from './providers.ts';
import { type Node, startDispatcher, startNode } from './servers.ts';
import type { Host, World } from './world.ts';

const LONGEST_ABSENCE = 40_000;
const AFTER_A_PAUSE = 15_000;
const LONGEST_WITHOUT_FLOWS = 30_000;

/** The servers that are up, by the name each keeps over its lives. */
export class Servers {
  kills = 0;
  /** By when whoever stood still has gone on, and what it then had to do is done. */
  awakeAt = 0;
  readonly #world: World;
  readonly #providers: Providers;
  readonly #nodes = new Map<string, Node>();
  readonly #dispatchers = new Map<string, Gate>();

  constructor(world: World, providers: Providers, people: People) {
    this.#world = world;
    this.#providers = providers;
    providers.gates = () => [...this.#dispatchers.values()];
    people.nodes = () => [...this.#nodes.values()];
    for (let number = 1; number <= world.plan.nodes; number++) this.#start(`node-${number}`);
    for (let number = 1; number <= world.plan.dispatchers; number++) this.#start(`dispatcher-${number}`);
  }

  /** Until the calm, each kind of disturbance at intervals of its own. */
  disturb(people: People): void {
    const { random, scheduler, plan } = this.#world;
    const kinds: Readonly<Record<keyof Disturbances, () => void>> = {
      kill: () => this.#kill(),
      pause: () => this.#pause(),
      clock: () => this.#setClock(),
      bundle: () => this.#changeBundle(),
      flowsAway: () => this.#takeFlowsAway(),
      offline: () => people.goOffline(),
      vendor: () => this.#turnSwitch(),
    };
    const chaos = scheduler.process('chaos');
    for (const [kind, happen] of Object.entries(kinds)) {
      const every = plan.disturbances[kind as keyof Disturbances];
      if (every === Number.POSITIVE_INFINITY) continue;
      scheduler.spawn(chaos, async () => {
        for (;;) {
          await scheduler.sleep(random.integer(2 * every));
          if (this.#world.calm) return;
          happen();
        }
      });
    }
    scheduler.spawn(chaos, async () => {
      await scheduler.sleep(plan.calmAt - scheduler.now);
      for (const { clock } of this.#all()) clock.skew = 0;
    });
  }

  #all(): Host[] {
    return [...this.#nodes.values(), ...this.#dispatchers.values()];
  }

  #one(): Host | undefined {
    const all = this.#all();
    return all.length === 0 ? undefined : this.#world.random.pick(all);
  }

  #start(name: string): void {
    const world = this.#world;
    if (name.startsWith('node')) this.#nodes.set(name, startNode(world, name));
    else {
      const host = startDispatcher(world, name, this.#providers);
      this.#dispatchers.set(name, { ...host, database: world.open(host) });
    }
  }

  #kill(): void {
    const world = this.#world;
    const host = this.#one();
    if (host === undefined) return;
    const { process } = host;
    const absence = world.random.integer(world.random.pick([100, LONGEST_ABSENCE]));
    world.tell(`${process.name} is killed, and back in ${absence} ms`);
    this.kills += 1;
    this.#nodes.delete(process.name);
    this.#dispatchers.delete(process.name);
    world.scheduler.kill(process);
    world.scheduler.spawn(world.scheduler.process('starter'), async () => {
      await world.scheduler.sleep(absence);
      this.#start(process.name);
    });
  }

  #pause(): void {
    const { random, plan, scheduler } = this.#world;
    const host = this.#one();
    if (host === undefined) return;
    const ms = random.integer(plan.longestPause);
    host.process.pausedUntil = scheduler.now + ms;
    this.awakeAt = Math.max(this.awakeAt, scheduler.now + ms + AFTER_A_PAUSE);
    this.#world.tell(`${host.process.name} stands still for ${ms} ms`);
  }

  #setClock(): void {
    const { random, plan } = this.#world;
    const host = this.#one();
    if (host === undefined) return;
    host.clock.skew = random.between(-plan.skew, plan.skew);
    this.#world.tell(`the clock of ${host.process.name} is ${host.clock.skew} ms off`);
  }

  #changeBundle(): void {
    const { bundle, plan } = this.#world;
    if (bundle === plan.bundles.length) return;
    this.#world.bundle += 1;
    this.#world.tell(`bundle ${this.#world.bundle} is in force`);
  }

  /** As the gateway's vendor switch does, in one transaction of its own. */
  #turnSwitch(): void {
    const { random, scheduler, server, tables } = this.#world;
    const operator = scheduler.process('operator');
    const { vendor } = random.pick(VENDORS);
    scheduler.spawn(operator, async () => {
      const tx = server.begin(operator);
      const isClosed = tx.get(tables.closed, vendor) !== undefined;
      if (isClosed) await tx.remove(tables.closed, ({ vendor: closed }) => closed === vendor);
      else await tx.insert(tables.closed, { vendor }, () => undefined);
      tx.commit();
      this.#world.tell(`${vendor} is ${isClosed ? 'opened' : 'closed'} by an operator`);
    });
  }

  #takeFlowsAway(): void {
    const { random, scheduler } = this.#world;
    this.#world.flowsAwayUntil = scheduler.now + random.integer(LONGEST_WITHOUT_FLOWS);
    this.#world.tell('flows cannot be had');
  }
}
