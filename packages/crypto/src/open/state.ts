/**
 * Opening what `seal/state.ts` sealed. A state written by a newer program is refused with its own reason, before anything
 * is read from it: running on would lose what the newer one added.
 */

import { equalBytes } from '@sealpost/protocol';
import { openAesGcm } from '#primitives';
import {
  STATE_FORMAT,
  STATE_HEADER_LENGTH,
  STATE_KEY_LENGTH,
  STATE_MAGIC,
  STATE_NONCE_LENGTH,
  type StateContext,
  stateAdditionalData,
} from '../seal/state-format.ts';

export type StateVerdict =
  | { readonly kind: 'ok'; readonly state: Uint8Array; readonly version: number }
  /** `newer-format`: install the newer program; `not-authentic`: wrong key, other purpose or changed bytes. */
  | { readonly kind: 'refused'; readonly reason: 'malformed' | 'newer-format' | 'not-authentic' };

const refused = (reason: Extract<StateVerdict, { kind: 'refused' }>['reason']): StateVerdict => ({
  kind: 'refused',
  reason,
});

/** `version` is the newest encoding the caller can read. */
export async function openState(
  sealed: Uint8Array,
  storageKey: Uint8Array,
  { purpose, version }: StateContext,
): Promise<StateVerdict> {
  if (storageKey.length !== STATE_KEY_LENGTH) throw new TypeError('a storage key has 32 bytes');
  const start = STATE_HEADER_LENGTH + STATE_NONCE_LENGTH;
  const header = sealed.slice(0, STATE_HEADER_LENGTH);
  if (sealed.length < start || !equalBytes(header.subarray(0, STATE_MAGIC.length), STATE_MAGIC)) {
    return refused('malformed');
  }
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const [format, written] = [view.getUint8(STATE_MAGIC.length), view.getUint32(STATE_MAGIC.length + 1)];
  if (format === 0) return refused('malformed');
  if (format > STATE_FORMAT || written > version) return refused('newer-format');
  const state = await openAesGcm({
    key: storageKey,
    nonce: sealed.subarray(STATE_HEADER_LENGTH, start),
    additionalData: stateAdditionalData(header, purpose),
    ciphertext: sealed.subarray(start),
  });
  return state === undefined ? refused('not-authentic') : { kind: 'ok', state, version: written };
}
