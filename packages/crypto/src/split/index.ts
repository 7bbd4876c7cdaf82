/**
 * `crypto/split`: sealing content under two secrets, for control; opening it with both, for the reveal page. The gateway,
 * which stores what comes out, reaches neither.
 */
export { openSplit, type SealedSplit, type SplitBinding, type SplitSecrets, sealSplit } from './split.ts';
