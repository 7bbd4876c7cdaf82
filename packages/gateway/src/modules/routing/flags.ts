/**
 * Rollouts and the kill switch, asked through OpenFeature (specification 0.8, server paradigm), so that an operator's flag
 * system can stand in for ours. A flag can close a route and can open none: the floor is asked apart from it. When a flag
 * cannot be evaluated, a vendor that was closed stays closed and a channel is as its ladder says.
 */
import {
  type Client,
  type EvaluationContext,
  OpenFeature,
  type Provider,
  type ResolutionDetails,
} from '@openfeature/server-sdk';
import type { Bundle, ChannelName, FlowName, VendorName } from '@sealpost/protocol';
import { fractionOf } from './choose-vendor.ts';

export type Rollout = NonNullable<Bundle['rollouts']>[number];

export interface Flags {
  isChannelOpen(channel: ChannelName, flow: FlowName, recipient: string): Promise<boolean>;
  /** `closed`: whether an operator has closed it; a flag can close one more, and open none. */
  isVendorOpen(vendor: VendorName, closed: boolean): Promise<boolean>;
}

/** `rollouts` is asked at each evaluation; `domain` keeps the flags of two gateways in one process apart. */
export async function createFlags(rollouts: () => readonly Rollout[], domain: string): Promise<Flags> {
  await OpenFeature.setProviderAndWait(domain, providerOf(rollouts));
  const client: Client = OpenFeature.getClient(domain);
  return {
    isChannelOpen: (channel, flow, recipient) =>
      client.getBooleanValue(`channel.${channel}`, true, { targetingKey: recipient, flow }),
    isVendorOpen: async (vendor, closed) =>
      !closed && (await client.getBooleanValue(`vendor.${vendor}`, true, { targetingKey: vendor })),
  };
}

/** Our own provider: the rollouts of the running bundle. */
function providerOf(rolloutsNow: () => readonly Rollout[]): Provider {
  const boolean = async (key: string, context: EvaluationContext): Promise<ResolutionDetails<boolean>> => {
    const [kind, name] = [key.slice(0, key.indexOf('.')), key.slice(key.indexOf('.') + 1)];
    if (kind !== 'channel') return { value: true, reason: 'DEFAULT' };
    const recipient = context.targetingKey ?? '';
    const open = rolloutsNow()
      .filter(
        ({ channel, flows }) =>
          channel === name && (flows === undefined || flows.some((flow) => flow === context.flow)),
      )
      .every((rollout) => isIn(rollout, recipient));
    return { value: open, reason: 'SPLIT' };
  };
  const none = async <T>(_key: string, value: T): Promise<ResolutionDetails<T>> => ({ value, reason: 'DEFAULT' });
  return {
    metadata: { name: 'sealpost' },
    runsOn: 'server',
    resolveBooleanEvaluation: (key, _default, context) => boolean(key, context),
    resolveStringEvaluation: none,
    resolveNumberEvaluation: none,
    resolveObjectEvaluation: none,
  };
}

/** A person is in at 10 % and still in at 20 %. */
function isIn({ name, percent }: Rollout, recipient: string): boolean {
  return fractionOf(`rollout ${name} ${recipient}`) * 100 < percent;
}
