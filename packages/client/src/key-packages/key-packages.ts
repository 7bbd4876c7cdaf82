/**
 * Key packages (RFC 9420 section 10): how others add this device while it is away. The secret is stored before the public
 * part is uploaded and deleted by the write that stores the joined conversation; the one of last resort stays until it
 * expires. An upload that may not have arrived is made again with the same packages.
 */
import type { KeyPackageBundle, MlsEngine } from '@sealpost/crypto/mls';
import { gatewayApi, toBase64url } from '@sealpost/protocol';
import type { VerifiedIdentity } from '../enrollment/verified-identity.ts';
import type { Http } from '../http.ts';
import type { DeviceStore } from '../store/store.ts';
import type { ClientSurroundings } from '../surroundings.ts';
import { decodeKeyPackage, encodeKeyPackage, type StoredKeyPackage } from './key-package-schema.ts';

/** One-time packages in a full pool, and when to refill it. */
const POOL_SIZE = 20;
const POOL_LOW = 10;
const LIFETIME = 30 * 86_400_000;
/** Devices' and gateways' clocks differ. */
const BACKDATED = 60 * 60_000;
/** A package in an envelope under way may still be used shortly after it lapsed. */
const KEPT_AFTER = 86_400_000;
const PREFIX = 'key-package/';

export interface KeyPackages {
  /** Tops the pool up, given how many one-time packages the gateway still has. */
  fill(available: number): Promise<void>;
  /** All private parts, for joining. */
  bundles(): Promise<KeyPackageBundle[]>;
  /** The change to write beside the state joined with `reference`. */
  spend(reference: Uint8Array): Promise<ReadonlyMap<string, null>>;
}

export interface KeyPackageDeps {
  readonly store: DeviceStore;
  readonly http: Http;
  readonly engine: MlsEngine;
  readonly verified: VerifiedIdentity;
  readonly surroundings: ClientSurroundings;
}

export function createKeyPackages(deps: KeyPackageDeps): KeyPackages {
  const { store, http } = deps;
  return {
    async fill(available) {
      const held = await dropLapsed(deps, await heldIn(store));
      const waiting = held.filter(({ uploaded }) => !uploaded);
      const made = await make(deps, missing(deps, held, waiting, available));
      const upload = [...waiting, ...made];
      if (upload.length === 0) return;
      const packages = upload.map(({ bundle, lastResort }) => ({
        keyPackage: toBase64url(bundle.keyPackage),
        lastResort,
      }));
      await http.post('/v1/key-packages', { packages }, gatewayApi.keyPackageUploadResultSchema);
      await save(
        store,
        upload.map((entry) => ({ ...entry, uploaded: true })),
      );
    },
    bundles: async () => (await heldIn(store)).map(({ bundle }) => bundle),
    async spend(reference) {
      const name = nameOf(reference);
      const stored = await store.read(name);
      const keep = stored === undefined || decodeKeyPackage(stored).lastResort;
      return new Map(keep ? [] : [[name, null]]);
    },
  };
}

const nameOf = (reference: Uint8Array) => `${PREFIX}${toBase64url(reference)}`;

async function heldIn(store: DeviceStore): Promise<StoredKeyPackage[]> {
  const held: StoredKeyPackage[] = [];
  for (const name of await store.list(PREFIX)) {
    const bytes = await store.read(name);
    if (bytes !== undefined) held.push(decodeKeyPackage(bytes));
  }
  return held;
}

async function dropLapsed(
  { store, surroundings }: KeyPackageDeps,
  held: readonly StoredKeyPackage[],
): Promise<StoredKeyPackage[]> {
  const now = surroundings.now();
  const lapsed = held.filter(({ notAfter }) => notAfter + KEPT_AFTER < now);
  if (lapsed.length > 0) await store.write(new Map(lapsed.map(({ bundle }) => [nameOf(bundle.reference), null])));
  return held.filter((entry) => !lapsed.includes(entry));
}

/** `true` for one of last resort: one with half of the life left that a new one would have is enough. */
function missing(
  { surroundings, verified }: KeyPackageDeps,
  held: readonly StoredKeyPackage[],
  waiting: readonly StoredKeyPackage[],
  available: number,
): boolean[] {
  const pooled = available + waiting.filter(({ lastResort }) => !lastResort).length;
  const oneTime = pooled < POOL_LOW ? POOL_SIZE - pooled : 0;
  const now = surroundings.now();
  const enough = Math.min(LIFETIME, verified.expires - now) / 2;
  const hasLast = held.some(({ lastResort, notAfter }) => lastResort && notAfter - now > enough);
  return [...Array.from({ length: oneTime }, () => false), ...(hasLast ? [] : [true])];
}

async function make(
  { store, engine, verified, surroundings }: KeyPackageDeps,
  kinds: readonly boolean[],
): Promise<StoredKeyPackage[]> {
  const now = surroundings.now();
  const lifetime = { notBefore: now - BACKDATED, notAfter: Math.min(now + LIFETIME, verified.expires) };
  const made: StoredKeyPackage[] = [];
  for (const lastResort of kinds) {
    const bundle = await engine.createKeyPackage(verified.mls, lifetime, lastResort);
    made.push({ bundle, lastResort, notAfter: lifetime.notAfter, uploaded: false });
  }
  await save(store, made);
  return made;
}

async function save(store: DeviceStore, entries: readonly StoredKeyPackage[]): Promise<void> {
  if (entries.length === 0) return;
  await store.write(new Map(entries.map((entry) => [nameOf(entry.bundle.reference), encodeKeyPackage(entry)])));
}
