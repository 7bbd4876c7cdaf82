/** Flows: the bundle control runs, its manifests' language, and the Cedar schema policies are written against. */
export { CEDAR_SCHEMA } from './cedar-schema.ts';
export { checkPolicies } from './check-policies.ts';
export { createFlows, type Flows, type FlowsDeps, type RunningBundle } from './flows.ts';
export { flowsError } from './flows-errors.ts';
export { registerFlowsRoutes } from './flows-routes.ts';
