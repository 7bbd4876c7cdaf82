/**
 * One value at rest: AES-256-GCM under the store's own key, bound to its name and to a format version, so that values
 * cannot change places and a newer program's are refused rather than misread.
 */
import { openState } from '@sealpost/crypto/open';
import { sealState } from '@sealpost/crypto/seal';
import { clientError } from '../client-errors.ts';

/** Raised when an older program could not read what this one stores. */
const STORE_FORMAT = 1;
export const STORAGE_KEY_LENGTH = 32;

const contextOf = (name: string) => ({ purpose: `device/${name}`, version: STORE_FORMAT });

export function sealValue(name: string, value: Uint8Array, storageKey: Uint8Array): Promise<Uint8Array> {
  return sealState(value, storageKey, contextOf(name));
}

export async function openValue(name: string, sealed: Uint8Array, storageKey: Uint8Array): Promise<Uint8Array> {
  const verdict = await openState(sealed, storageKey, contextOf(name));
  if (verdict.kind === 'ok') return verdict.state;
  throw clientError(verdict.reason === 'newer-format' ? 'ERR_CLIENT_STATE_NEWER' : 'ERR_CLIENT_STATE_DAMAGED', {
    details: [{ pointer: name, detail: verdict.reason }],
  });
}
