/**
 * The manifest bundle the gateway runs: signed by an operator, approved by another person, versions only upwards. Owns the
 * table bundle; writes bundle.applied.
 */

export { registerBundleRoutes } from './bundle-routes.ts';
export { type Bundles, type BundlesDeps, createBundles, type RunningBundle } from './bundles.ts';
