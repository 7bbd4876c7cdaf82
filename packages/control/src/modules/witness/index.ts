/** Witness: verifies that the gateway's log only grows, and cosigns it. Owns the table of 0004-witness.sql. */
export { createLogSource, type LogSource } from './log-source.ts';
export { createWitness, type Witness, type WitnessDeps, type WitnessVerdict } from './witness.ts';
