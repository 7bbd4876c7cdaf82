/** A store over a map that outlives it, sealed as the real ones, which can stop at the nth write: before it, or after it. */
import { createSigningKey, type PrivateJwk, type Signer, signerFromJwk } from '@sealpost/crypto/signer';
import type { DeviceStore } from '../src/index.ts';
import { openValue, sealValue } from '../src/store/sealed-value.ts';
import { random } from './organisation.ts';

export class Disk {
  readonly values = new Map<string, Uint8Array>();
  readonly storageKey = random(32);
  privateJwk: PrivateJwk | undefined;
}

export interface Crash {
  /** The write at which it stops, counted from 1. */
  readonly at: number;
  /** Whether that write still happens. */
  readonly written: boolean;
}

export class MemoryStore implements DeviceStore {
  readonly disk: Disk;
  readonly #crash: Crash | undefined;
  readonly crashed: Promise<void>;
  #tellCrash: () => void = () => undefined;
  #dead = false;
  writes = 0;

  constructor(disk: Disk, crash?: Crash) {
    this.disk = disk;
    this.#crash = crash;
    this.crashed = new Promise((resolve) => {
      this.#tellCrash = resolve;
    });
  }

  async read(name: string): Promise<Uint8Array | undefined> {
    this.#alive();
    const sealed = this.disk.values.get(name);
    return sealed === undefined ? undefined : openValue(name, sealed, this.disk.storageKey);
  }

  async write(changes: ReadonlyMap<string, Uint8Array | null>): Promise<void> {
    const sealed = new Map<string, Uint8Array | null>();
    for (const [name, value] of changes)
      sealed.set(name, value === null ? null : await sealValue(name, value, this.disk.storageKey));
    this.#writing(() => {
      for (const [name, value] of sealed) {
        if (value === null) this.disk.values.delete(name);
        else this.disk.values.set(name, value);
      }
    });
  }

  async list(prefix: string): Promise<string[]> {
    this.#alive();
    return [...this.disk.values.keys()].filter((name) => name.startsWith(prefix));
  }

  async signer(): Promise<Signer | undefined> {
    this.#alive();
    return this.disk.privateJwk === undefined ? undefined : signerFromJwk(this.disk.privateJwk);
  }

  async createSigner(): Promise<Signer> {
    const { signer, privateJwk } = await createSigningKey('ES256');
    this.#writing(() => {
      this.disk.privateJwk = privateJwk;
    });
    return signer;
  }

  async close(): Promise<void> {
    this.#dead = true;
  }

  #writing(apply: () => void): void {
    this.#alive();
    this.writes++;
    const crashes = this.writes === this.#crash?.at;
    if (!crashes || this.#crash?.written === true) apply();
    if (!crashes) return;
    this.#dead = true;
    this.#tellCrash();
    throw new Error('crashed');
  }

  #alive(): void {
    if (this.#dead) throw new Error('this process is dead');
  }
}
