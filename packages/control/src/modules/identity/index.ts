/**
 * Identity: applications, alert senders, members, approvers, console sessions; tokens and approvals; codes people type.
 * Owns the tables of 0001-identity.sql and 0005-console.sql, and `enrollment_failure` of 0003-enrollment.sql.
 */
export type { VerifiedApproval } from './approvals.ts';
export { type Attempts, codeHashOf, createAttempts, mayLive } from './codes.ts';
export { registerConsoleSessionRoutes } from './console-routes.ts';
export { createIdentity, type Identity, type IdentityDeps, type RequestHeaders } from './identity.ts';
export { identityError } from './identity-errors.ts';
export { registerIdentityRoutes } from './identity-routes.ts';
export type { Member } from './registry.ts';
