/** What must hold inside a bundle, whoever signed it: the gateway does not take the compiler's word (DESIGN section 4). */
import { type Bundle, type CompiledFlow, type ProblemDetail, rungMeetsFloor } from '@sealpost/protocol';

export type BundleFault =
  | { readonly code: 'ERR_BUNDLE_BELOW_FLOOR'; readonly details: readonly ProblemDetail[] }
  | { readonly code: 'ERR_BUNDLE_INCOMPLETE'; readonly details: readonly ProblemDetail[] };

const MOST = 20;

/** `undefined` when the bundle is sound. */
export function faultOf(bundle: Bundle): BundleFault | undefined {
  const below = bundle.flows.flatMap(belowFloor);
  if (below.length > 0) return { code: 'ERR_BUNDLE_BELOW_FLOOR', details: below.slice(0, MOST) };
  const incomplete = incompleteIn(bundle);
  return incomplete.length === 0 ? undefined : { code: 'ERR_BUNDLE_INCOMPLETE', details: incomplete.slice(0, MOST) };
}

function belowFloor(flow: CompiledFlow, index: number): ProblemDetail[] {
  const pointer = `/flows/${index}/ladder`;
  const details = flow.ladder.flatMap((rung, step) =>
    rungMeetsFloor(rung, flow.floor) ? [] : [{ pointer: `${pointer}/${step}`, detail: 'protects less than the floor' }],
  );
  const carries = flow.ladder.some(({ use }) => use !== 'notice');
  return carries ? details : [...details, { pointer, detail: 'no step carries the content' }];
}

function incompleteIn({ flows, agents }: Bundle): ProblemDetail[] {
  const known = new Set(agents.map(({ name }) => name));
  const seen = new Set<string>();
  return flows.flatMap((flow, index) => {
    const details: ProblemDetail[] = [];
    if (seen.has(flow.name)) details.push({ pointer: `/flows/${index}/name`, detail: 'names another flow too' });
    if (!known.has(flow.agent))
      details.push({ pointer: `/flows/${index}/agent`, detail: 'is not an agent of the bundle' });
    seen.add(flow.name);
    return details;
  });
}
