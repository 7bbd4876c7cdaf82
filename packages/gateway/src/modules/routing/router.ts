/**
 * Gathers what routing knows for a batch of messages: three statements however many they are. What it answers is a snapshot; the dispatcher asks switch, circuit and reachability once more before a call.
 */
import type { Sql, Surroundings } from '@sealpost/platform';
import {
  type Bundle,
  type ChannelName,
  type CompiledFlow,
  type LadderStep,
  type VendorName,
  vendorsOf,
} from '@sealpost/protocol';
import type { RouteFacts, VendorFault } from './facts.ts';
import { createFlags, type Flags } from './flags.ts';
import { quietUntil } from './quiet-hours.ts';

const CLOSED = 'SELECT vendor FROM vendor_closed';
const FAILING = 'SELECT vendor FROM vendor_health WHERE opened IS NOT NULL AND until > $1';
const UNREACHABLE =
  'SELECT recipient, vendor FROM capability WHERE recipient = ANY($1) AND NOT reachable AND until > $2';

export interface Route {
  readonly flow: CompiledFlow;
  readonly recipient: string;
}

export interface Router {
  /** One fact sheet a route, in order. */
  facts(sql: Sql, routes: readonly Route[]): Promise<RouteFacts[]>;
}

export interface RouterDeps {
  readonly surroundings: Pick<Surroundings, 'now' | 'uuid'>;
  /** The bundle that runs now. */
  readonly bundle: () => Pick<Bundle, 'flows' | 'vendors' | 'rollouts'> | undefined;
}

export function createRouter({ surroundings, bundle }: RouterDeps): Router {
  let flags: Promise<Flags> | undefined;
  const domain = `sealpost-${surroundings.uuid()}`;

  const snapshot = async (sql: Sql, routes: readonly Route[]) => {
    const now = surroundings.now();
    const recipients = [...new Set(routes.map(({ recipient }) => recipient))];
    const closedRows = await sql.query<{ vendor: string }>('routing-closed', CLOSED);
    const failingRows = await sql.query<{ vendor: string }>('routing-failing', FAILING, [now]);
    const pairs = await sql.query<{ recipient: string; vendor: string }>('routing-unreachable', UNREACHABLE, [
      recipients,
      now,
    ]);
    return {
      closed: new Set(closedRows.map(({ vendor }) => vendor)),
      failing: new Set(failingRows.map(({ vendor }) => vendor)),
      unreachable: new Set(pairs.map(({ recipient, vendor }) => `${recipient} ${vendor}`)),
    };
  };

  const factsOf = async (
    { flow, recipient }: Route,
    known: Awaited<ReturnType<typeof snapshot>>,
  ): Promise<RouteFacts> => {
    const now = surroundings.now();
    flags ??= createFlags(() => bundle()?.rollouts ?? [], domain);
    const { isChannelOpen, isVendorOpen } = await flags;
    const carriers = flow.ladder.filter(isCarrier);
    const shut = new Set<ChannelName>();
    const down = new Set<VendorName>();
    for (const { channel } of carriers) if (!(await isChannelOpen(channel, flow.name, recipient))) shut.add(channel);
    for (const { vendor } of flow.ladder.flatMap(vendorsOf))
      if (!(await isVendorOpen(vendor, known.closed.has(vendor)))) down.add(vendor);
    const running = bundle();
    const expiry = new Map<string, number | undefined>(
      (running?.vendors ?? []).map(({ name, expires }) => [name, expires]),
    );
    const faultOf = (vendor: VendorName): VendorFault | undefined => {
      if (down.has(vendor)) return 'vendor-closed';
      if ((expiry.get(vendor) ?? Number.POSITIVE_INFINITY) <= now) return 'vendor-expired';
      if (known.unreachable.has(`${recipient} ${vendor}`)) return 'no-capability';
      return known.failing.has(vendor) ? 'vendor-failing' : undefined;
    };
    return {
      floor: running?.flows.find(({ name }) => name === flow.name)?.floor,
      quietUntil: flow.quiet === undefined ? undefined : quietUntil(flow.quiet, now),
      isRolledOut: (channel) => !shut.has(channel),
      faultOf,
    };
  };

  return {
    async facts(sql, routes) {
      const known = await snapshot(sql, routes);
      return Promise.all(routes.map((route) => factsOf(route, known)));
    },
  };
}

function isCarrier({ adapter }: LadderStep): boolean {
  return adapter !== 'app';
}
