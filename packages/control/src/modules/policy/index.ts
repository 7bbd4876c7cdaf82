/** Policy: decisions by Cedar over the running bundle's policies. */
export { createPolicy, type Policy, type PolicyContext, type PolicyDecision, type PolicyRequest } from './policy.ts';
export { policyError } from './policy-errors.ts';
