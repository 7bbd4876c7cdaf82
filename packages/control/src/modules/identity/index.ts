/** Identity: applications, alert senders, members, approvers; tokens and approvals. Owns the tables of 0001-identity.sql. */
export type { VerifiedApproval } from './approvals.ts';
export { createIdentity, type Identity, type IdentityDeps, type RequestHeaders } from './identity.ts';
export { identityError } from './identity-errors.ts';
export { registerIdentityRoutes } from './identity-routes.ts';
export type { Member } from './registry.ts';
