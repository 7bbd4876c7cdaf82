/**
 * Providers: one that knows repeats by the attempt's id (RCS for Business) and one that does not (an SMSC). They fail before
 * or after the effect, answer late or not at all, ask to wait, refuse for good, and their receipts come early, late, twice,
 * out of order, about something unknown, or not at all. An adapter's mapping of answers to outcomes is not simulated here.
 */
import type { Attempt } from '@sealpost/channels';
import type { Database } from '@sealpost/platform';
import type { AdapterName } from '@sealpost/protocol';
import type { Outcome, ProviderReceipt, RevokeResult } from '@sealpost/protocol/carriage';
import type { Vendor } from '../../packages/gateway/src/dispatcher/vendor.ts';
import { VENDORS } from './plan.ts';
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

  vendorsFor(onSending: (attempt: string) => void): ReadonlyMap<string, Vendor> {
    return new Map(
      VENDORS.map(({ vendor, adapter }) => {
        const send = async (attempt: Attempt) => {
          onSending(attempt.id);
          const caller = { process: this.#world.scheduler.running };
          this.#waiting.add(caller);
          try {
            return await this.#send(vendor, adapter, attempt.id);
          } finally {
            this.#waiting.delete(caller);
          }
        };
        return [vendor, { name: adapter, adapter: adapterOf(adapter, send, () => this.#takeBack()) }];
      }),
    );
  }

  /** Now and then busy, or too late; it knows the attempt by our id. */
  async #takeBack(): Promise<RevokeResult> {
    const { random, rates, scheduler } = this.#world;
    const fails = random.chance(rates.provider);
    if (random.chance(rates.adapter)) throw new TypeError('an adapter broke its contract');
    await scheduler.sleep(random.integer(fails ? 90_000 : 300));
    const reason = 'simulated';
    if (!fails) return { kind: 'revoked' };
    return random.chance(0.5) ? { kind: 'retry-after', afterMs: 700, reason } : { kind: 'too-late', reason };
  }

  async #send(vendor: string, adapter: AdapterName, attempt: string): Promise<Outcome> {
    const { random, rates, scheduler } = this.#world;
    const fault = random.chance(rates.provider) ? random.pick(FAULTS) : undefined;
    if (random.chance(rates.adapter)) throw new TypeError('an adapter broke its contract');
    await scheduler.sleep(random.integer(fault === 'slow' ? 90_000 : 300));
    const reason = 'simulated';
    switch (fault) {
      case 'before':
        return { kind: 'ambiguous', reason };
      case 'after':
        this.#effect(vendor, adapter, attempt);
        return { kind: 'ambiguous', reason };
      case 'retry-after':
        return { kind: 'retry-after', afterMs: random.pick([0, 700, 5_000, 30_000]), reason };
      case 'downgrade':
      case 'permanent':
      case 'auth-broken':
      case 'security-stop':
        return { kind: fault, reason };
      default: {
        const providerMessageId = this.#effect(vendor, adapter, attempt);
        // The answer travels too, and a receipt may overtake it.
        await scheduler.sleep(random.integer(300));
        return { kind: 'accepted', providerMessageId };
      }
    }
  }

  /** Answers the provider's own id. */
  #effect(vendor: string, adapter: AdapterName, attempt: string): string {
    const knowsRepeats = adapter === 'rcs-google';
    // Each vendor knows its own repeats and nobody else's.
    const name = `${vendor} ${attempt}`;
    if (knowsRepeats && this.#known.has(name)) return attempt;
    this.#known.add(name);
    this.#sent += 1;
    const id = knowsRepeats ? attempt : `sms-${this.#sent}`;
    this.#world.tell(`provider: a phone shows it, by ${vendor} (${this.#sent})`);
    this.#world.judge.onEffect(adapter, attempt);
    this.#speak(vendor, id, knowsRepeats);
    return id;
  }

  /** What the provider will say of it. */
  #speak(vendor: string, id: string, saysRead: boolean): void {
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
      this.#deliver(vendor, { providerMessageIds: ids, status, code: status }, after);
      if (way === 'twice')
        this.#deliver(vendor, { providerMessageIds: ids, status, code: status }, after + random.integer(spread));
    }
  }

  /** Repeats a webhook until it was answered. */
  #deliver(vendor: string, receipt: ProviderReceipt, after: number): void {
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
            await world.code.storeReceipts(gate.database, vendor, [receipt], gate.surroundings.now());
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

const LIMITS: Vendor['adapter']['capabilities']['content'] = {
  ...{ text: 300, textUnit: 'characters', title: 0, suggestions: 0, suggestionText: 0, openLinks: false },
  ...{ file: 'none', fileBytes: 0, fileTypes: [] },
};

function adapterOf(
  name: AdapterName,
  send: (attempt: Attempt) => Promise<Outcome>,
  revoke: () => Promise<RevokeResult>,
): Vendor['adapter'] {
  const takesBack = name === 'rcs-google';
  return {
    capabilities: {
      ...{ protection: 'none', readers: [], address: 'phone', content: LIMITS, delivered: true, read: true },
      ...{ idempotent: name === 'rcs-google', maxTtl: 86_400_000, webhook: 'none' },
      ...{ lookup: false, query: false, revoke: takesBack ? 'before-delivery' : 'no', inbound: false },
    },
    start: async () => undefined,
    send,
    ...(takesBack ? { revoke } : {}),
    stop: async () => undefined,
  };
}
