/**
 * Routing: which step of a ladder is taken now, by which vendor, and why. Reads what operators, vendors and the dispatcher
 * have said (`vendor_closed`, `vendor_health`, `capability`) and decides by pure rules.
 */
export { type ChosenVendor, chooseVendor } from './choose-vendor.ts';
export { NO_FACTS, type RouteFacts } from './facts.ts';
export { limitsOf } from './limits.ts';
export { createRouter, type Router, type RouterDeps } from './router.ts';
export { registerRoutingRoutes } from './routing-routes.ts';
export { decideStep, higher, type SkipReason, type StepDecision, type StepFacts } from './step-decision.ts';
export { createVendorSwitch, type VendorSwitch } from './vendor-switch.ts';
