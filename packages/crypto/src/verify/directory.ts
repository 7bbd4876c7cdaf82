/**
 * Verifying a member's directory chain (DESIGN section 8), oldest entry first: each entry signed by control, naming the
 * hash of the one before, carrying an approval of a person for exactly this change, and a device certificate for exactly
 * this name. One approval opens one entry. That the chain is the newest is proved against the log, not here.
 */

import {
  APPROVED_OBJECTS,
  type DeviceId,
  DIRECTORY_TYPE,
  type DirectoryEntry,
  directoryEntrySchema,
  fromBase64url,
  type MemberId,
  type Timestamp,
  type Trust,
  toBase64url,
  utf8,
} from '@sealpost/protocol';
import { sha256 } from '#primitives';
import { cacheKey } from '../primitives/jwk.ts';
import type { PublicJwk } from '../signer/signer.ts';
import { memberDeviceUri } from '../x509/uri.ts';
import { verifyApproval } from './approval.ts';
import { verifyCertificateChain } from './certificate-chain.ts';
import { verifyJws } from './jws.ts';

export interface DirectoryDevice {
  readonly device: DeviceId;
  readonly member: MemberId;
  readonly name: string;
  readonly uri: string;
  /** DER, leaf first, anchor left out. */
  readonly chain: readonly Uint8Array[];
  readonly publicJwk: PublicJwk;
  readonly enrolledAt: Timestamp;
  readonly notAfter: Timestamp;
  readonly approval: DirectoryEntry['approval'];
}

export type DirectoryRefusal =
  | 'signature'
  | 'organisation'
  | 'member'
  | 'previous'
  | 'time'
  | 'approval'
  | 'approval-reused'
  | 'certificate'
  | 'device';

export type DirectoryVerdict =
  | {
      readonly kind: 'ok';
      /** Enrolled, not revoked, with a certificate valid now. */
      readonly devices: readonly DirectoryDevice[];
      /** Hash of the newest entry: what the next one names as `previous`. */
      readonly head: string | null;
    }
  | { readonly kind: 'refused'; readonly reason: DirectoryRefusal; readonly index: number };

export interface DirectoryContext {
  readonly trust: Trust;
  /** Whose chain was asked for: another member's is refused. */
  readonly member: MemberId;
  readonly now: Timestamp;
}

/** What the entries so far say. */
interface Progress {
  readonly head: string | null;
  readonly at: Timestamp;
  readonly approvals: ReadonlySet<string>;
  readonly devices: ReadonlyMap<DeviceId, DirectoryDevice>;
  readonly revoked: ReadonlySet<DeviceId>;
}

const CLOCK_SKEW = 60_000;
const CHAIN_LIMIT = 10_000;

/** SHA-256 of an entry's JWS, base64url. */
export function entryHash(jws: string): string {
  return toBase64url(sha256(utf8(jws)));
}

export async function verifyDirectoryChain(
  entries: readonly string[],
  context: DirectoryContext,
): Promise<DirectoryVerdict> {
  if (entries.length > CHAIN_LIMIT) return { kind: 'refused', reason: 'previous', index: CHAIN_LIMIT };
  let progress: Progress = { head: null, at: 0, approvals: new Set(), devices: new Map(), revoked: new Set() };
  for (const [index, jws] of entries.entries()) {
    const next = await follow(progress, jws, context);
    if (typeof next === 'string') return { kind: 'refused', reason: next, index };
    progress = next;
  }
  const devices = [...progress.devices.values()].filter(({ notAfter }) => notAfter >= context.now);
  return { kind: 'ok', devices, head: progress.head };
}

/** One entry after what came before. */
async function follow(before: Progress, jws: string, context: DirectoryContext): Promise<Progress | DirectoryRefusal> {
  const { trust, member, now } = context;
  const key = trust.control.submit.jwk;
  const signed = await verifyJws(jws, { typ: DIRECTORY_TYPE, key, schema: directoryEntrySchema });
  if (signed.kind === 'refused') return 'signature';
  const entry = signed.payload;
  if (entry.organisation !== trust.organisation) return 'organisation';
  if (entry.member !== member) return 'member';
  if (entry.previous !== before.head) return 'previous';
  if (entry.at < before.at || entry.at > now + CLOCK_SKEW) return 'time';
  const approval = await approvalOf(entry, trust);
  if (approval === undefined) return 'approval';
  if (before.approvals.has(approval)) return 'approval-reused';
  const change = entry.change === 'enrolled' ? await enrol(before, entry, trust) : revoke(before, entry);
  if (typeof change === 'string') return change;
  const approvals = new Set([...before.approvals, approval]);
  return { ...before, ...change, head: entryHash(jws), at: entry.at, approvals };
}

/**
 * The object hash of a valid approval for this change by the time of the entry, or `undefined`. An invitation names the
 * member; which device answers it is known only once it does.
 */
async function approvalOf(entry: DirectoryEntry, trust: Trust): Promise<string | undefined> {
  const { object, jws } = entry.approval;
  const action = entry.change === 'enrolled' ? 'device.invite' : 'device.revoke';
  const { approvers, organisation } = trust;
  const verdict = await verifyApproval(jws, object, action, { approvers, organisation, now: entry.at });
  if (verdict.kind === 'refused') return undefined;
  return matches(entry) ? verdict.approval.object : undefined;
}

function matches({ change, approval: { object }, member, device, at }: DirectoryEntry): boolean {
  if (change === 'enrolled') {
    const invite = APPROVED_OBJECTS['device.invite'].safeParse(object);
    return invite.success && invite.data.member === member && invite.data.expires > at;
  }
  const revocation = APPROVED_OBJECTS['device.revoke'].safeParse(object);
  return revocation.success && revocation.data.member === member && revocation.data.device === device;
}

/** A device enrols once; a second entry for it may only renew the certificate of the same key. */
async function enrol(
  { devices, revoked }: Progress,
  entry: DirectoryEntry,
  trust: Trust,
): Promise<Pick<Progress, 'devices'> | DirectoryRefusal> {
  const { device, member, name, at, approval } = entry;
  const [chain, anchor, root] = [bytesOf(entry.chain), fromBase64url(trust.deviceCa), fromBase64url(trust.root)];
  if (chain === undefined || anchor === undefined || root === undefined) return 'certificate';
  const verdict = await verifyCertificateChain(chain, { anchor, root, now: at, usage: 'device' });
  const uri = memberDeviceUri(trust.organisation, member, device);
  if (verdict.kind === 'refused' || verdict.uri !== uri) return 'certificate';
  const { publicJwk, notAfter } = verdict;
  const earlier = devices.get(device);
  if (revoked.has(device)) return 'device';
  if (earlier !== undefined && cacheKey(earlier.publicJwk) !== cacheKey(publicJwk)) return 'device';
  const active = { device, member, name, uri, chain, publicJwk, enrolledAt: at, notAfter, approval };
  return { devices: new Map([...devices, [device, active]]) };
}

function revoke(
  { devices, revoked }: Progress,
  { device }: DirectoryEntry,
): Pick<Progress, 'devices' | 'revoked'> | DirectoryRefusal {
  if (!devices.has(device)) return 'device';
  const left = new Map(devices);
  left.delete(device);
  return { devices: left, revoked: new Set([...revoked, device]) };
}

function bytesOf(chain: readonly string[]): readonly Uint8Array[] | undefined {
  const decoded = chain.map(fromBase64url).filter((der) => der !== undefined);
  return decoded.length === chain.length ? decoded : undefined;
}
