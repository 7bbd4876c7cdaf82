/**
 * What a seed stands for, drawn before anything happens: how often each thing goes wrong in this run (swarm testing: a rate
 * is drawn for each run, and is often none, because faults that are always there hide what needs quiet to show), how clocks
 * differ, the ladders of two bundles, and the messages that will be sent.
 */
import {
  type AdapterName,
  type Bundle,
  type CompiledFlow,
  type ConversationId,
  channelNameSchema,
  conversationIdSchema,
  type DeviceId,
  deviceIdSchema,
  type FlowName,
  flowNameSchema,
  type LadderStep,
  PROTECTIONS,
  type Protection,
  type Use,
  type VendorName,
  vendorNameSchema,
} from '@sealpost/protocol';
import type { Random } from './random.ts';

export const LANES = 2;

/** Probabilities of a fault where it could happen. */
export interface Rates {
  /** A statement fails and takes its connection with it. */
  readonly statement: number;
  /** COMMIT was made or not, and the answer is lost. */
  readonly commit: number;
  /** A hint between nodes is lost. */
  readonly hint: number;
  /** A provider does not answer as it should. */
  readonly provider: number;
  /** A provider's receipt is lost, doubled, early or about something unknown. */
  readonly receipt: number;
  /** A device's upload is lost, or made again. */
  readonly device: number;
  /** An adapter throws, against its contract. */
  readonly adapter: number;
}

/** Mean milliseconds between disturbances of a kind; infinite where this run has none. */
export interface Disturbances {
  readonly kill: number;
  readonly pause: number;
  readonly clock: number;
  readonly bundle: number;
  readonly flowsAway: number;
  readonly offline: number;
  /** An operator closes a vendor, or opens one. */
  readonly vendor: number;
}

export interface PlannedMessage {
  readonly number: number;
  readonly at: number;
  readonly conversation: number;
  readonly flow: FlowName;
  readonly forms: boolean;
  /** The sender takes it back some time later. */
  readonly revoked: boolean;
}

export interface PlannedConversation {
  readonly id: ConversationId;
  readonly lane: number;
  readonly devices: readonly DeviceId[];
}

export interface Running {
  readonly bundle: Bundle;
  /** Channels a rollout lets nobody onto. */
  readonly shut: ReadonlySet<string>;
}

export interface Plan {
  readonly rates: Rates;
  readonly disturbances: Disturbances;
  /** Longest time a statement travels. */
  readonly latency: number;
  /** Farthest a process's clock is from the world's. */
  readonly skew: number;
  /** Longest pause: some are longer than a lease. */
  readonly longestPause: number;
  readonly nodes: number;
  readonly dispatchers: number;
  readonly conversations: readonly PlannedConversation[];
  readonly messages: readonly PlannedMessage[];
  /** Flows by bundle version, from 1. */
  readonly bundles: readonly (readonly CompiledFlow[])[];
  /** The same bundles as they run: what they say of vendors and rollouts beside the flows. */
  readonly running: readonly Running[];
  /** When nothing more goes wrong. */
  readonly calmAt: number;
}

const CHANNELS: readonly { readonly channel: string; readonly adapter: AdapterName }[] = [
  { channel: 'app', adapter: 'app' },
  { channel: 'rcs-main', adapter: 'rcs-google' },
  { channel: 'sms-main', adapter: 'sms-smpp' },
  { channel: 'rcs-other', adapter: 'rcs-google' },
  { channel: 'sms-other', adapter: 'sms-smpp' },
];
export const CARRIERS = CHANNELS.filter(({ adapter }) => adapter !== 'app');
/** Every provider account: one of each channel's own name, and one more that some channels may turn to. */
export const VENDORS: readonly { readonly vendor: VendorName; readonly adapter: AdapterName }[] = CARRIERS.flatMap(
  ({ channel, adapter }) =>
    [channel, `${channel}-spare`].map((vendor) => ({ vendor: vendorNameSchema.parse(vendor), adapter })),
);
const FLOWS = ['incident-alerts', 'reminders'].map((name) => flowNameSchema.parse(name));
const padded = (number: number) => String(number).padStart(22, 'A');

export function planOf(random: Random, start: number): Plan {
  const rate = (most: number) => (random.chance(0.4) ? 0 : (random.integer(1000) / 1000) * most);
  const every = (least: number) => (random.chance(0.5) ? Number.POSITIVE_INFINITY : random.between(least, least * 20));
  const conversations = Array.from({ length: random.between(1, 3) }, (_, number) => ({
    id: conversationIdSchema.parse(`con_${padded(number)}`),
    lane: random.integer(LANES),
    devices: Array.from({ length: random.chance(0.1) ? 0 : random.between(1, 2) }, (_, device) =>
      deviceIdSchema.parse(`dev_${padded(number * 2 + device)}`),
    ),
  }));
  const bundles = Array.from({ length: 2 }, () => FLOWS.map((name) => flowOf(random, name)));
  const running = bundles.map((flows) => runningOf(random, flows, start));
  const within = random.pick([50, 2_000, 20_000]);
  const messages = Array.from({ length: random.between(1, 4) }, (_, number) => ({
    number,
    at: start + random.integer(within),
    conversation: random.integer(conversations.length),
    flow: random.pick(FLOWS),
    forms: random.chance(0.9),
    revoked: random.chance(0.3),
  }));
  return {
    rates: {
      statement: rate(0.05),
      commit: rate(0.6),
      hint: rate(1),
      provider: rate(0.9),
      receipt: rate(0.8),
      device: rate(0.6),
      adapter: rate(0.1),
    },
    disturbances: {
      kill: every(1_000),
      pause: every(2_000),
      clock: every(5_000),
      bundle: every(5_000),
      flowsAway: every(20_000),
      offline: every(3_000),
      vendor: every(3_000),
    },
    latency: random.pick([1, 5, 50, 500]),
    skew: random.chance(0.5) ? 0 : random.pick([20, 2_000, 40_000]),
    longestPause: random.pick([100, 5_000, 90_000]),
    nodes: random.between(1, 2),
    dispatchers: random.between(1, 3),
    conversations,
    messages,
    bundles,
    running,
    calmAt: start + within + random.between(2_000, 90_000),
  };
}

/** Now and then a vendor's contract has run out, or runs out meanwhile, and a channel is rolled out to some or to nobody. */
function runningOf(random: Random, flows: readonly CompiledFlow[], start: number): Running {
  const vendors = VENDORS.map(({ vendor, adapter }) => {
    const expires = random.chance(0.1) ? { expires: start + random.integer(60_000) } : {};
    return { name: vendor, adapter, ...expires };
  });
  const rollouts = CARRIERS.filter(() => random.chance(0.15)).map(({ channel }, number) => ({
    name: `rollout-${number}`,
    channel,
    percent: random.pick([0, 50, 100]),
  }));
  const shut = new Set(rollouts.filter(({ percent }) => percent === 0).map(({ channel }) => channel));
  return { bundle: { flows, agents: [], vendors, rollouts } as unknown as Bundle, shut };
}

/** A ladder as the compiler lets one through: `after` never falls. Floors are any, so that some steps are below theirs. */
function flowOf(random: Random, name: FlowName): CompiledFlow {
  let after = 0;
  const ladder = Array.from({ length: random.between(1, 4) }, (_, step): LadderStep => {
    if (step > 0 || random.chance(0.3)) after += random.pick([0, 500, 2_000, 15_000, 45_000]);
    const { channel, adapter } = random.chance(0.3) ? CHANNELS[0]! : random.pick(CHANNELS);
    const use: Use = adapter === 'app' || random.chance(0.1) ? 'carry' : 'notice';
    const own = VENDORS.filter(({ vendor }) => vendor.startsWith(channel));
    const vendors = own.map((vendor) => ({ ...vendor, weight: random.integer(3) }));
    const several = vendors.length > 0 && random.chance(0.4) ? { vendors } : {};
    return { channel: channelNameSchema.parse(channel), adapter, ...several, use, after };
  });
  const floor: Protection = random.pick(PROTECTIONS);
  return {
    name,
    purpose: 'simulated',
    agent: 'acme-incidents',
    classification: 'internal',
    floor,
    ladder,
    inspection: [],
    ambiguous: 'at-most-once',
    expires: after + random.pick([1_000, 20_000, 120_000, 240_000]),
  } as unknown as CompiledFlow;
}
