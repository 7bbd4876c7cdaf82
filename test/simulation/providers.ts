/**
 * Providers: one that knows repeats by the attempt's id (RCS for Business) and one that does not (an SMSC). They fail before
 * or after the effect, answer late or not at all, ask to wait, refuse for good, and their receipts come early, late, twice,
 * out of order, about something unknown, or not at all. An adapter's mapping of answers to outcomes is not simulated here.
 */
import type { Attempt } from '@sealpost/channels';
import type { Database } from '@sealpost/platform';
import type { AdapterName } from '@sealpost/protocol';
import type { Outcome, ProviderReceipt } from '@sealpost/protocol/carriage';
import type { Channel } from '../../packages/gateway/src/dispatcher/try.ts';
import { CARRIERS } from './plan.ts';
import type { Process } from './scheduler.ts';
import type { Host, World } from './world.ts';

type Fault = 'before' | 'after' | 'slow' | Exclude<Outcome['kind'], 'accepted' | 'ambiguous'>;
const FAULTS: readonly Fault[] = [
  ...(['before', 'after', 'slow', 'slow', 'slow', 'retry-after', 'retry-after', 'retry-after'] as const),
  ...(['downgrade', 'permanent', 'auth-broken', 'security-stop'] as const),
];
const REPEATED_AFTER = 1_000;

export interface Gate extends Host {
  readonly database: Database;
}

export class Providers {
  readonly #world: World;
  readonly #process;
  /** Attempt ids a provider knows. */
  readonly #known = new Set<string>();
  /** Those who wait for an answer; one that was killed waits no more. */
  readonly #waiting = new Set<{ readonly process: Process }>();
  #sent = 0;
  /** The dispatchers that can take a webhook now. */
  gates: () => readonly Gate[] = () => [];

  constructor(world: World) {
    this.#world = world;
    this.#process = world.scheduler.process('provider');
  }

  get idle(): boolean {
    return [...this.#waiting].every(({ process }) => !process.alive);
  }

  channelsFor(onSending: (attempt: string) => void): ReadonlyMap<string, Channel> {
    return new Map(
      CARRIERS.map(({ channel, adapter }) => {
        const send = async (attempt: Attempt) => {
          onSending(attempt.id);
          const caller = { process: this.#world.scheduler.running };
          this.#waiting.add(caller);
          try {
            return await this.#send(channel, adapter, attempt.id);
          } finally {
            this.#waiting.delete(caller);
          }
        };
        return [channel, { name: adapter, adapter: adapterOf(adapter, send) }];
      }),
    );
  }

  async #send(channel: string, adapter: AdapterName, attempt: string): Promise<Outcome> {
    const { random, rates, scheduler } = this.#world;
    const fault = random.chance(rates.provider) ? random.pick(FAULTS) : undefined;
    if (random.chance(rates.adapter)) throw new TypeError('an adapter broke its contract');
    await scheduler.sleep(random.integer(fault === 'slow' ? 90_000 : 300));
    const reason = 'simulated';
    switch (fault) {
      case 'before':
        return { kind: 'ambiguous', reason };
      case 'after':
        this.#effect(channel, adapter, attempt);
        return { kind: 'ambiguous', reason };
      case 'retry-after':
        return { kind: 'retry-after', afterMs: random.pick([0, 700, 5_000, 30_000]), reason };
      case 'downgrade':
      case 'permanent':
      case 'auth-broken':
      case 'security-stop':
        return { kind: fault, reason };
      default: {
        const providerMessageId = this.#effect(channel, adapter, attempt);
        // The answer travels too, and a receipt may overtake it.
        await scheduler.sleep(random.integer(300));
        return { kind: 'accepted', providerMessageId };
      }
    }
  }

  /** Answers the provider's own id. */
  #effect(channel: string, adapter: AdapterName, attempt: string): string {
    const knowsRepeats = adapter === 'rcs-google';
    if (knowsRepeats && this.#known.has(attempt)) return attempt;
    this.#known.add(attempt);
    this.#sent += 1;
    const id = knowsRepeats ? attempt : `sms-${this.#sent}`;
    this.#world.tell(`provider: a phone shows it, by ${channel} (${this.#sent})`);
    this.#world.judge.onEffect(adapter, attempt);
    this.#speak(channel, id, knowsRepeats);
    return id;
  }

  /** What the provider will say of it. */
  #speak(channel: string, id: string, saysRead: boolean): void {
    const { random, rates } = this.#world;
    const statuses: ProviderReceipt['status'][] = [
      random.chance(0.7) ? 'delivered' : random.pick(['failed', 'expired']),
    ];
    if (saysRead && statuses[0] === 'delivered' && random.chance(0.5)) statuses.push('read');
    const spread = random.pick([200, 5_000, 60_000]);
    for (const [index, status] of statuses.entries()) {
      const odd = random.chance(rates.receipt);
      const way = odd ? random.pick(['lost', 'twice', 'early', 'unknown', 'reordered'] as const) : 'plain';
      if (way === 'lost') continue;
      const ids = way === 'unknown' ? ['nobody-knows'] : random.chance(0.2) ? ['other-spelling', id] : [id];
      const after = way === 'early' || way === 'reordered' ? 0 : random.integer(spread) * (index + 1);
      this.#deliver(channel, { providerMessageIds: ids, status, code: status }, after);
      if (way === 'twice')
        this.#deliver(channel, { providerMessageIds: ids, status, code: status }, after + random.integer(spread));
    }
  }

  /** Repeats a webhook until it was answered. */
  #deliver(channel: string, receipt: ProviderReceipt, after: number): void {
    const world = this.#world;
    world.busy += 1;
    world.scheduler.spawn(this.#process, async () => {
      await world.scheduler.sleep(after);
      for (;;) {
        const gates = this.gates();
        const gate = gates.length === 0 ? undefined : world.random.pick(gates);
        const stored =
          gate !== undefined &&
          (await world.call(gate.process, async () => {
            await world.code.storeReceipts(gate.database, channel, [receipt], gate.surroundings.now());
            world.hint(gate.process, 'outcome');
            return true;
          }));
        if (stored === true) break;
        await world.scheduler.sleep(REPEATED_AFTER);
      }
      world.busy -= 1;
    });
  }
}

function adapterOf(name: AdapterName, send: (attempt: Attempt) => Promise<Outcome>): Channel['adapter'] {
  return {
    capabilities: {
      ...{ protection: 'none', textLimit: 300, delivered: true, read: true, idempotent: name === 'rcs-google' },
      ...{ maxTtl: 86_400_000, webhook: 'none' },
    },
    start: async () => undefined,
    send,
    stop: async () => undefined,
  };
}
