/**
 * What a bundle must fulfil beyond its schema, whoever compiled it: floors kept on every step, a step that carries,
 * references resolved, names once. Pure; control asks before it runs one, the compiler before it makes one.
 */
import { type Bundle, type CompiledFlow, rungMeetsFloor } from '@sealpost/protocol';
import { checkPolicies } from './check-policies.ts';

export type BundleFault = 'ERR_FLOWS_FLOOR' | 'ERR_FLOWS_REFERENCES' | 'ERR_FLOWS_POLICIES';

/** The first fault found, or `undefined` for a bundle that may run. */
export function faultOf(bundle: Bundle): BundleFault | undefined {
  const agents = new Set(bundle.agents.map((agent) => agent.name));
  const flows = new Set(bundle.flows.map((flow) => flow.name));
  if (agents.size !== bundle.agents.length || flows.size !== bundle.flows.length) return 'ERR_FLOWS_REFERENCES';
  if (bundle.flows.some((flow) => !agents.has(flow.agent))) return 'ERR_FLOWS_REFERENCES';
  if (!bundle.flows.every(keepsItsFloor)) return 'ERR_FLOWS_FLOOR';
  return checkPolicies(bundle.policies).length > 0 ? 'ERR_FLOWS_POLICIES' : undefined;
}

export function keepsItsFloor(flow: Pick<CompiledFlow, 'floor' | 'ladder'>): boolean {
  const kept = flow.ladder.every((step) => rungMeetsFloor(step, flow.floor));
  return kept && flow.ladder.some((step) => step.use !== 'notice');
}
