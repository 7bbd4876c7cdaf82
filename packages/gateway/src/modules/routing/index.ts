/** Routing: which ladder step is taken now, and why, as pure rules. Owns no table. */
export { decideStep, type StepDecision, type StepFacts } from './step-decision.ts';
