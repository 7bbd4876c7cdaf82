/** Which of the 64 lanes a thing's events go to: all of one conversation, member or bundle stay in one, in order. */
import { utf8 } from '@sealpost/protocol';
import { sha256 } from '../../platform/hash.ts';

export const LANES = 64;

/** `key`: conversation id for messages and groups, member id for the directory, 'bundle' for bundles. */
export function laneOf(key: string): number {
  return (sha256(utf8(key))[0] ?? 0) % LANES;
}
