/**
 * Where a device keeps everything it must not lose, the port. An implementation seals values at rest, writes a batch as a
 * whole or not at all, and has it on disk before `write` resolves. One process at a time holds a store. It cannot notice
 * that somebody put back an older copy of the whole store.
 */
import type { Signer } from '@sealpost/crypto/signer';

/** Values by name; null removes. */
export type StoreChanges = ReadonlyMap<string, Uint8Array | null>;

export interface DeviceStore {
  /** `undefined` when there is none. Throws ERR_CLIENT_STATE_… when it is damaged or of a newer format. */
  read(name: string): Promise<Uint8Array | undefined>;
  /** All of it or nothing; durable once this resolves. */
  write(changes: StoreChanges): Promise<void>;
  /** Names that start with `prefix`, in no particular order. */
  list(prefix: string): Promise<string[]>;
  /** The device's signature key (ES256), `undefined` before `createSigner`. */
  signer(): Promise<Signer | undefined>;
  /** Makes the key and stores it durably before it resolves. Throws when there is one. */
  createSigner(): Promise<Signer>;
  /** Lets another process have it. Nothing may be called afterwards. */
  close(): Promise<void>;
}
