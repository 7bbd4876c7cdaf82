/** The bounds a try is under (`attempt.limits`): its vendor's, its agent's, and its flow's for one person. */
import { type Bundle, type CompiledFlow, canonicalJson } from '@sealpost/protocol';

export interface Bounded {
  readonly vendor: string;
  readonly sender: string;
  readonly recipient: string;
  readonly flow: CompiledFlow;
}

type Limits = Pick<Bundle, 'agents' | 'vendors'>;

/** Vendor and agent as the bundle that runs now has them, the person as the flow the message was accepted under. */
export function limitsOf({ vendor, sender, recipient, flow }: Bounded, bundle: Limits | undefined): string {
  const bounds = [
    { key: `vendor:${vendor}`, limit: bundle?.vendors?.find(({ name }) => name === vendor)?.limit },
    { key: `agent:${sender}`, limit: bundle?.agents.find(({ name }) => name === sender)?.limit },
    { key: `recipient:${flow.name}:${recipient}`, limit: flow.limit },
  ];
  return canonicalJson(bounds.flatMap(({ key, limit }) => (limit === undefined ? [] : [{ key, ...limit }])));
}
