/**
 * The container of sealed state: `SPST`, the container's format, the version of what is inside, nonce, ciphertext. The
 * header and the purpose are authenticated, so neither can be changed nor a state be used for another purpose.
 */
import { canonicalBytes, concatBytes, utf8 } from '@sealpost/protocol';

export const STATE_MAGIC = utf8('SPST');
export const STATE_FORMAT = 1;
export const STATE_KEY_LENGTH = 32;
export const STATE_NONCE_LENGTH = 12;
/** Magic, format, version (32 bits). */
export const STATE_HEADER_LENGTH = 9;

export interface StateContext {
  /** What this state is, for example `mls/con_…`: a state sealed for one purpose opens for no other. */
  readonly purpose: string;
  /** The version of the state's own encoding. */
  readonly version: number;
}

export function stateHeader(version: number): Uint8Array {
  if (!Number.isInteger(version) || version < 0 || version > 0xffff_ffff) throw new TypeError('a version is 32 bits');
  const bytes = new Uint8Array(STATE_HEADER_LENGTH);
  bytes.set(STATE_MAGIC);
  bytes[STATE_MAGIC.length] = STATE_FORMAT;
  new DataView(bytes.buffer).setUint32(STATE_MAGIC.length + 1, version);
  return bytes;
}

/** The header has a fixed length, so header and purpose cannot be told apart in two ways. */
export function stateAdditionalData(header: Uint8Array, purpose: string): Uint8Array {
  return concatBytes(header, canonicalBytes(purpose));
}
