/**
 * What every part of a simulated world shares: its time, its chance, its server, its processes and the story that is told
 * of it. Processes have clocks of their own; only the judge reads the world's.
 */
import { createHash } from 'node:crypto';
import type { Logger, Surroundings } from '@sealpost/platform';
import type { Topic } from '../../packages/gateway/src/platform/bus.ts';
import type * as code from './code.ts';
import { openSimulated } from './database.ts';
import { Judge } from './judge.ts';
import { createMaterial, type Material, messageId } from './material.ts';
import { wordsOf } from './narrate.ts';
import { LANES, type Plan, planOf, type Rates, type Running } from './plan.ts';
import { portStatements } from './ports.ts';
import { createRandom, type Random } from './random.ts';
import { createTables, type Tables } from './rows.ts';
import { type Process, type Resume, Scheduler } from './scheduler.ts';
import { type Change, Server } from './tables.ts';

export type Code = typeof code;
export const START = 1_800_000_000_000;
/** TICK_MS of delivery.ts and POLL_MS of bus.ts. */
const NODE_LOOKS_EACH = 100;
const DISPATCHER_LOOKS_EACH = 500;
const CALM: Rates = { statement: 0, commit: 0, hint: 0, provider: 0, receipt: 0, device: 0, adapter: 0 };

export interface Host {
  readonly process: Process;
  /** How far this process's clock is from the world's. */
  readonly clock: { skew: number };
  readonly surroundings: Surroundings;
}

interface Listener {
  readonly process: Process;
  readonly topics: readonly Topic[];
  readonly wake: Resume;
}

export class World {
  readonly plan: Plan;
  readonly random: Random;
  readonly scheduler = new Scheduler(START);
  readonly tables: Tables = createTables(LANES);
  readonly server: Server;
  readonly judge: Judge;
  readonly code: Code;
  readonly material: Material;
  readonly told: string[] = [];
  /** The bundle that is in force. */
  bundle = 1;
  flowsAwayUntil = 0;
  /** Uploads of devices and receipts of providers that are under way. */
  busy = 0;
  /** Runs at each row a device's queue gets. */
  onQueued: (device: string, message: string, id: number) => void = () => undefined;
  readonly #link: Parameters<typeof openSimulated>[1];
  readonly #hash = createHash('sha256');
  readonly #keep: boolean;
  #listeners: Listener[] = [];

  constructor(seed: number, code: Code, material: Material, keepStory: boolean) {
    this.code = code;
    this.material = material;
    this.random = createRandom(seed);
    this.plan = planOf(this.random, START);
    this.#keep = keepStory;
    this.server = new Server(this.scheduler, ({ changes, by, fenced, sight }) => {
      if (fenced) this.judge.say('fenced', `${by.name} commits what it may not`);
      this.judge.onCommit(changes, sight);
      this.#polled(changes);
      for (const change of changes) {
        const words = wordsOf(change, this.judge.accounts);
        if (words !== undefined) this.tell(`${by.name}: ${words}`);
        if (change.table === 'device_queue' && change.before === undefined) {
          const { device, message, id } = change.after as { device: string; message: string; id: number };
          this.onQueued(device, message, id);
        }
      }
    });
    this.judge = new Judge({
      tables: this.tables,
      flowOf: (version, name) => this.flowOf(version, name)!,
      isShutOut: (version, channel) => this.plan.running[version - 1]!.shut.has(channel),
      devicesOf: (id) => this.plan.conversations.find((conversation) => conversation.id === id)!.devices,
      skew: 2 * this.plan.skew,
      causes: ['ERR_DELIVERY_FLOW'],
    });
    const deciding = code.deliveryStatements(this.tables);
    this.#link = {
      server: this.server,
      statements: {
        ...deciding,
        // What follows in this transaction can know no less than what is in force now.
        'routing-closed': async (tx, values) => {
          tx.sight = { bundle: this.bundle, closed: new Set(this.tables.closed.rows.keys()) };
          return deciding['routing-closed']!(tx, values);
        },
        ...code.dispatchStatements(this.tables),
        ...portStatements(this.tables),
      },
      random: this.random,
      latency: this.plan.latency,
      rates: () => this.rates,
      tell: (words) => this.tell(words),
    };
  }

  get calm(): boolean {
    return this.scheduler.now >= this.plan.calmAt;
  }

  /** From a point on nothing goes wrong any more, so that what was only late can be told from what is lost. */
  get rates(): Rates {
    return this.calm ? CALM : this.plan.rates;
  }

  get digest(): string {
    return this.#hash.copy().digest('hex');
  }

  tell(words: string): void {
    const line = `${((this.scheduler.now - START) / 1000).toFixed(3).padStart(10)} s  ${words}`;
    this.#hash.update(line);
    if (this.#keep) this.told.push(line);
  }

  /** The bundle that runs now, as much of it as routing asks. */
  get running(): Running {
    return this.plan.running[this.bundle - 1]!;
  }

  flowOf(version: number, name: string) {
    return this.plan.bundles[version - 1]?.find((flow) => flow.name === name);
  }

  host(name: string): Host {
    const { random, scheduler, plan } = this;
    const clock = { skew: this.calm ? 0 : random.between(-plan.skew, plan.skew) };
    return {
      process: scheduler.process(name),
      clock,
      surroundings: {
        now: () => scheduler.now + clock.skew,
        random: (length) => random.bytes(length),
        uuid: () => random.uuid(),
        messageId: () => messageId(0),
      },
    };
  }

  open({ process }: Host) {
    return openSimulated(process, this.#link);
  }

  hint(from: Process, topic: Topic): void {
    for (const { process, topics, wake } of this.#listeners) {
      if (!process.alive || !topics.includes(topic)) continue;
      if (process === from || !this.random.chance(this.rates.hint)) wake();
    }
  }

  /** Who looks each so often finds what was committed, hint or no hint. */
  #polled(changes: readonly Change[]): void {
    const isNew = (tables: readonly string[]) =>
      changes.some(({ table, after }) => after !== undefined && tables.includes(table));
    if (isNew(['lane_event', 'attempt_outcome', 'provider_receipt'])) this.#wakeWithin(NODE_LOOKS_EACH, 'lane');
    if (isNew(['attempt'])) this.#wakeWithin(DISPATCHER_LOOKS_EACH, 'attempt');
  }

  #wakeWithin(ms: number, topic: Topic): void {
    for (const { process, topics, wake } of this.#listeners) {
      if (!process.alive || !topics.includes(topic)) continue;
      this.scheduler.spawn(process, async () => {
        await this.scheduler.sleep(this.random.integer(ms));
        wake();
      });
    }
  }

  /** Parks a process until a hint it listens to, at most so long. */
  async hinted(process: Process, topics: readonly Topic[], atMost: number): Promise<void> {
    let mine: Listener | undefined;
    await this.scheduler.suspendAtMost(atMost, (wake) => {
      mine = { process, topics, wake };
      this.#listeners.push(mine);
    });
    this.#listeners = this.#listeners.filter((listener) => listener !== mine && listener.process.alive);
  }

  /** Work another process does for this one; `undefined` when it failed, was killed or took too long. */
  async call<T>(process: Process, work: () => Promise<T>): Promise<T | undefined> {
    let result: T | undefined;
    await this.scheduler.suspendAtMost(this.random.between(2_000, 40_000), (resume) => {
      process.onKill.push(resume);
      this.scheduler.spawn(process, async () => {
        try {
          result = await work();
        } catch (cause) {
          if (!isOfTheWorld(cause)) throw cause;
        }
        resume();
      });
    });
    return result;
  }
}

/** A failure this world makes: of the server, or of an input that could not be decided then. */
export function isOfTheWorld(cause: unknown): boolean {
  if (typeof cause !== 'object' || cause === null || !('code' in cause)) return false;
  return typeof cause.code === 'string' && /^(?:08006|40P01|23505|ERR_DELIVERY_(?:UNDECIDED|FLOW))$/.test(cause.code);
}

/** Nobody reads what is logged here: what it says of is in the tables and in the log. */
export const SILENT: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

let material: Promise<Material> | undefined;

/** The same for every run of this process. */
export function sharedMaterial(): Promise<Material> {
  material ??= createMaterial();
  return material;
}
