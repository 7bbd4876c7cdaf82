/**
 * Agents: their keys, their conversations with members, and the MLS state of each. Owns the tables of 0010-agents.sql and
 * the secrets `agent-<name>` and `keyring-<conversation>` of the key store. Invariants: state is stored before anything
 * made with it leaves; a generation is never used twice; nobody is added whom the directory does not prove.
 */
export { type Agents, type AgentsDeps, createAgents, type HeldConversation, type OpenConversation } from './agents.ts';
