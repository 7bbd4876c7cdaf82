/** The servers of a simulated world: nodes that decide and dispatchers that try, each a process that can be killed. */
import type { Report } from '@sealpost/protocol/carriage';
import type { Claimed } from '../../packages/gateway/src/dispatcher/claim-schema.ts';
import type { Delivery } from '../../packages/gateway/src/modules/delivery/index.ts';
import type { Bus } from '../../packages/gateway/src/platform/bus.ts';
import { ORGANISATION } from './material.ts';
import { portsOf } from './ports.ts';
import type { Providers } from './providers.ts';
import { type Host, isOfTheWorld, SILENT, type World } from './world.ts';

/** The gateway looks again each 100 ms and the dispatcher each 500 ms; looks that would find nothing are left out here. */
const TICK_MS = 100;
const LONGEST_IDLE = 20_000;
const POLL_MS = 500;
const CONCURRENCY = 4;
/** As in attempt-loop.ts, whose loop is modelled below: what it does with rows is the real claims.ts and try.ts. */
const LONGEST_TRY = 600_000;

export interface Node extends Host {
  readonly delivery: Delivery;
}

/** A node decides in a loop, as `run` in delivery.ts does, and takes devices' receipts beside it. */
export function startNode(world: World, name: string): Node {
  const host = world.host(name);
  const { process, surroundings } = host;
  const bus: Bus = {
    hint: (topic) => world.hint(process, topic),
    on: () => () => undefined,
    start: async () => undefined,
    stop: async () => undefined,
  };
  const delivery = world.code.createDelivery({
    database: world.open(host),
    bus,
    logger: SILENT,
    surroundings,
    organisation: ORGANISATION,
    ...portsOf(world.plan.conversations, world.material),
    flowAt: async (version, flow) =>
      world.scheduler.now < world.flowsAwayUntil ? undefined : world.flowOf(version, flow),
    bundle: () => world.running.bundle,
    router: world.code.createRouter({ surroundings, bundle: () => world.running.bundle }),
  });
  world.scheduler.spawn(process, async () => {
    for (;;) {
      try {
        if (await delivery.step()) continue;
        await world.hinted(process, ['lane', 'outcome'], idleFor(world, host, nextTimer(world)));
      } catch (cause) {
        if (!isOfTheWorld(cause)) throw cause;
        await world.scheduler.sleep(POLL_MS);
      }
    }
  });
  return { ...host, delivery };
}

function nextTimer({ tables }: World): number {
  const dues = [...tables.timer.rows.values(), ...tables.aside.rows.values()].map(({ due }) => due);
  return dues.length === 0 ? Number.POSITIVE_INFINITY : Math.min(...dues);
}

/** Until something is due by the host's clock, and then up to a tick more. */
function idleFor({ random, scheduler }: World, { clock }: Host, due: number): number {
  const wait = Math.max(TICK_MS, Math.min(due - clock.skew - scheduler.now, random.between(TICK_MS, LONGEST_IDLE)));
  return wait + random.integer(TICK_MS);
}

/** A dispatcher claims, tries, renews its leases and reports until the report is stored. */
export function startDispatcher(world: World, name: string, providers: Providers): Host {
  const { code, scheduler, random, judge } = world;
  const host = world.host(name);
  const { process, surroundings } = host;
  const database = world.open(host);
  const owner = surroundings.uuid();
  const places = new Set<{ readonly lease: Claimed['lease'] }>();

  const reportOf = (claimed: Claimed): Promise<Report> => {
    const { epoch } = claimed.lease;
    const onSending = (sent: string) => judge.onSending({ attempt: sent, epoch, began: surroundings.now() });
    return code.perform(claimed, {
      vendors: providers.vendorsFor(onSending),
      key: world.material.dispatchKey,
      database,
      now: surroundings.now,
      failed: () => undefined,
    });
  };

  const report = async (lease: Claimed['lease'], told: Report, since: number): Promise<void> => {
    for (;;) {
      try {
        await code.reportOutcome(database, lease, told, surroundings.now());
        return world.hint(process, 'outcome');
      } catch (cause) {
        if (!isOfTheWorld(cause)) throw cause;
        if (surroundings.now() - since > LONGEST_TRY) return;
        await scheduler.sleep(POLL_MS);
      }
    }
  };

  const begin = (claimed: Claimed) => {
    const place = { lease: claimed.lease };
    places.add(place);
    scheduler.spawn(process, async () => {
      const since = surroundings.now();
      await report(claimed.lease, await reportOf(claimed), since);
      places.delete(place);
      world.hint(process, 'attempt');
    });
  };

  const claim = async (): Promise<number> => {
    const free = CONCURRENCY - places.size;
    if (free <= 0) return LONGEST_IDLE;
    for (const claimed of await code.claimAttempts(database, owner, free, surroundings.now())) begin(claimed);
    return idleFor(world, host, (await code.nextDue(database)) ?? Number.POSITIVE_INFINITY);
  };

  scheduler.spawn(process, async () => {
    for (;;) {
      try {
        await world.hinted(process, ['attempt'], await claim());
      } catch (cause) {
        if (!isOfTheWorld(cause)) throw cause;
        await scheduler.sleep(POLL_MS);
      }
    }
  });
  scheduler.spawn(process, async () => {
    for (;;) {
      await scheduler.sleep(code.LEASE_MS / 3 + random.integer(TICK_MS));
      const leases = [...places].map(({ lease }) => lease);
      await code.renewLeases(database, leases, surroundings.now()).catch((cause: unknown) => {
        if (!isOfTheWorld(cause)) throw cause;
      });
    }
  });
  return host;
}
