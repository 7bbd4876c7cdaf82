/**
 * Sealing state for storage: AES-256-GCM (NIST SP 800-38D) under a storage key with a random 96-bit nonce. One key seals
 * at most 2^32 states (section 8.3); storage keys are rotated daily.
 */

import { concatBytes } from '@sealpost/protocol';
import { randomBytes, sealAesGcm } from '#primitives';
import {
  STATE_KEY_LENGTH,
  STATE_NONCE_LENGTH,
  type StateContext,
  stateAdditionalData,
  stateHeader,
} from './state-format.ts';

export async function sealState(
  state: Uint8Array,
  storageKey: Uint8Array,
  { purpose, version }: StateContext,
): Promise<Uint8Array> {
  if (storageKey.length !== STATE_KEY_LENGTH) throw new TypeError('a storage key has 32 bytes');
  const header = stateHeader(version);
  const nonce = randomBytes(STATE_NONCE_LENGTH);
  const additionalData = stateAdditionalData(header, purpose);
  const ciphertext = await sealAesGcm({ key: storageKey, nonce, additionalData, plaintext: state });
  return concatBytes(header, nonce, ciphertext);
}
