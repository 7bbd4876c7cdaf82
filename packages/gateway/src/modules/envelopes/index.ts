/**
 * Intake: envelopes that control signed, checked against the running bundle, stored with their log event in one commit and
 * answered with a signed promise of inclusion. Writes the table envelope and message.accepted; nothing refused leaves a trace.
 */

export { createEnvelopes, type Envelopes, type EnvelopesDeps } from './envelopes.ts';

export { registerEnvelopeRoutes } from './envelopes-routes.ts';
export { createGroupCommit, type GroupCommit } from './group-commit.ts';
export { type ConversationFacts, createLookups, type Lookups } from './lookups.ts';
