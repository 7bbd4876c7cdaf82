/**
 * `simulator`: two carriers and a monitoring system in one process, for development, tests and drills. An RCS for Business platform with its OAuth
 * endpoint and webhooks, and an SMSC speaking SMPP 3.4; phones that show what reached them; faults that can be switched
 * on; and a record of everything a carrier was sent, which is what a carrier can read.
 *
 * Promises: it follows the published protocols, not our adapters' reading of them; state lives in memory only; `stop`
 * leaves no socket and no timer. Does not: import adapters or know what people author.
 */
export type { FaultKind } from './faults.ts';
export { alertmanagerBody } from './monitoring/alertmanager-body.ts';
export type { ProviderDefinition } from './provider-kit/definition.ts';
export type { ProviderFault } from './provider-kit/faults.ts';
export { type Provider, startProvider } from './provider-kit/provider.ts';
export { appleBusinessDefinition } from './providers/apple-business.ts';
export { signalRestDefinition, signalRpcDefinition } from './providers/signal.ts';
export { teamsBotDefinition, teamsWorkflowDefinition } from './providers/teams.ts';
export { twilioDefinition } from './providers/twilio.ts';
export { createServiceAccount } from './service-account.ts';
export { type Simulator, type SimulatorOptions, startSimulator } from './simulator.ts';
