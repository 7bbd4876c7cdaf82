/**
 * Who must enter and who must leave: the difference between the devices the directory proves and the leaves of the group,
 * and key packages for those who enter. A device without any usable package is left out for now and tried again with the
 * next message; a group without any device is nothing to send to.
 */
import type { GroupState, Leaf, MlsEngine } from '@sealpost/crypto/mls';
import { type DirectoryDevice, parseUri } from '@sealpost/crypto/verify';
import type { Logger, Surroundings } from '@sealpost/platform';
import { type DeviceId, fromBase64url } from '@sealpost/protocol';
import type { GatewayClient } from '../../gateway/gateway-client.ts';
import { RENEW_BEFORE } from './agent-identity.ts';
import { type Anchors, isPackageOf, lasts } from './credentials.ts';

export interface MembershipDeps {
  readonly gateway: Pick<GatewayClient, 'claimKeyPackages'>;
  readonly engine: MlsEngine;
  readonly anchors: Anchors;
  readonly surroundings: Surroundings;
  readonly logger: Logger;
}

export interface Newcomer {
  readonly device: DeviceId;
  readonly keyPackage: Uint8Array;
}

export interface Change {
  readonly add: readonly Newcomer[];
  readonly remove: readonly { readonly leaf: number; readonly device: DeviceId }[];
  /** The epoch is to end even if nobody enters or leaves. */
  readonly renew: boolean;
  /** Devices in the group once the change is made. */
  readonly reached: number;
}

/** As many as one claim and one welcome take. */
const AT_ONCE = 100;
/** A package that does not verify is dropped and another one claimed. */
const CLAIMS = 3;

export async function changeFor(
  state: GroupState,
  devices: readonly DirectoryDevice[],
  deps: MembershipDeps,
): Promise<Change> {
  const now = deps.surroundings.now();
  const leaves = await deps.engine.members(state, now);
  const others = leaves.filter(({ index }) => index !== state.ownLeaf);
  const active = new Set(devices.map(({ uri }) => uri));
  const staying = others.filter((leaf) => active.has(leaf.credential.uri) && leaf.lapsed === undefined);
  const present = new Set(staying.map((leaf) => leaf.credential.uri));
  const missing = devices.filter(({ uri }) => !present.has(uri)).slice(0, AT_ONCE);
  const add = await newcomers(missing, deps);
  return {
    add,
    remove: others.filter((leaf) => !staying.includes(leaf)).flatMap(departing),
    renew: !(await ownLeafLasts(leaves, state, deps)),
    reached: staying.length + add.length,
  };
}

export function isNothing({ add, remove, renew }: Change): boolean {
  return add.length === 0 && remove.length === 0 && !renew;
}

function departing({ index, credential }: Leaf) {
  const uri = parseUri(credential.uri);
  if (uri?.kind !== 'device') throw new TypeError('every leaf but our own is a device');
  return [{ leaf: index, device: uri.device }];
}

async function ownLeafLasts(leaves: readonly Leaf[], state: GroupState, { anchors, surroundings }: MembershipDeps) {
  const own = leaves.find(({ index }) => index === state.ownLeaf);
  return own !== undefined && (await lasts(own.credential.chain, anchors, surroundings.now(), RENEW_BEFORE));
}

async function newcomers(missing: readonly DirectoryDevice[], deps: MembershipDeps): Promise<Newcomer[]> {
  const found = new Map<DeviceId, Newcomer>();
  let wanted = missing;
  for (let claim = 1; claim <= CLAIMS && wanted.length > 0; claim++) {
    const packages = await deps.gateway.claimKeyPackages(wanted.map(({ device }) => device));
    const again: DirectoryDevice[] = [];
    for (const device of wanted) {
      const text = packages.find((claimed) => claimed.device === device.device)?.keyPackage ?? undefined;
      if (text === undefined) continue;
      const keyPackage = fromBase64url(text);
      const now = deps.surroundings.now();
      if (keyPackage !== undefined && (await isPackageOf(device, keyPackage, { ...deps, now }))) {
        found.set(device.device, { device: device.device, keyPackage });
      } else {
        deps.logger.warn('key package refused', { code: 'ERR_MLS_KEY_PACKAGE' });
        again.push(device);
      }
    }
    wanted = again;
  }
  const skipped = missing.length - found.size;
  if (skipped > 0) deps.logger.warn('devices left out', { reason: 'no-key-package', count: skipped });
  return [...found.values()];
}
