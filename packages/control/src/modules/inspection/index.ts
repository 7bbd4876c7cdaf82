/** Inspection: a flow's rules over content. Pure; owns nothing. */
export { type InspectedContent, type Inspection, inspect } from './inspection.ts';
export { blockedBy } from './inspection-errors.ts';
