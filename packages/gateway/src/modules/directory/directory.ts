/**
 * Posting a directory entry, step by step. The gateway trusts control's signature for nothing but the claim itself: link,
 * approval and certificate are verified here over the member's whole chain. Enrolling waits for a healthy log; revoking
 * never does, and is in force everywhere once committed (DESIGN sections 8 and 11).
 */
import { entryHash, keyIdOf, sha256, verifyDirectoryChain, verifyJws } from '@sealpost/crypto/verify';
import type { Database, Sql, Surroundings } from '@sealpost/platform';
import {
  APPROVED_OBJECTS,
  canonicalBytes,
  type DeviceId,
  DIRECTORY_TYPE,
  type DirectoryAnswer,
  type DirectoryEntry,
  directoryEntrySchema,
  type KeyId,
  type MemberId,
  type Trust,
  toBase64url,
  utf8,
} from '@sealpost/protocol';
import type { Bus } from '../../platform/bus.ts';
import { reached } from '../../points.ts';
import { type Log, laneOf } from '../log/index.ts';
import type { KnownDevice } from './device-row-schema.ts';
import { directoryError } from './directory-errors.ts';
import * as store from './directory-store.ts';

export interface PostedEntry {
  readonly entry: string;
  readonly outcome: 'recorded' | 'already';
}

export interface Directory {
  /** Verifies and records an entry; an identical repeat answers `already`. Throws SealpostError on anything else. */
  post(entry: string): Promise<PostedEntry>;
  /** The member's chain, oldest first; `undefined` when there is none. Evidence is null until sequenced. */
  member(member: MemberId): Promise<DirectoryAnswer['entries'] | undefined>;
  /** Revoked and lapsed devices are answered with `active: false`; `undefined` for one never enrolled. */
  device(device: DeviceId): Promise<KnownDevice | undefined>;
  deviceOfKey(key: KeyId): Promise<KnownDevice | undefined>;
  /** Those of `devices` that may do nothing (any more). */
  inactive(devices: readonly DeviceId[]): Promise<DeviceId[]>;
  /** The same inside a transaction, and the others stay unrevoked until it ends. */
  holdActive(tx: Sql, devices: readonly DeviceId[]): Promise<DeviceId[]>;
  /** `listener` runs inside the transaction that revokes; when it throws nothing is revoked. */
  onRevoking(listener: (tx: Sql, device: DeviceId) => Promise<void>): void;
  /** `listener` runs after that commit, on this node; others hear the hint `directory`. */
  onRevoked(listener: (device: DeviceId) => void): () => void;
}

export interface DirectoryDeps {
  readonly database: Database;
  readonly surroundings: Surroundings;
  readonly trust: Trust;
  readonly log: Pick<Log, 'append' | 'evidence' | 'healthy' | 'lockLane'>;
  readonly bus: Pick<Bus, 'hint'>;
}

/** Control's clock may run ahead of ours by this much. */
const SKEW = 60_000;

export function createDirectory({ database, surroundings, trust, log, bus }: DirectoryDeps): Directory {
  const revoking: ((tx: Sql, device: DeviceId) => Promise<void>)[] = [];
  const revoked = new Set<(device: DeviceId) => void>();

  const record = async (tx: Sql, jws: string, entry: DirectoryEntry): Promise<PostedEntry['outcome']> => {
    await log.lockLane(tx, laneOf(entry.member));
    const chain = await store.chainOf(tx, entry.member);
    const hash = entryHash(jws);
    if (chain.some((known) => known.hash === hash)) return 'already';
    requireLink(entry, chain.at(-1)?.hash ?? null);
    const approved = toBase64url(sha256(canonicalBytes(entry.approval.object)));
    if (entry.change === 'enrolled') requireFresh(entry, surroundings.now());
    const devices = await verifiedDevices([...chain.map((known) => known.jws), jws], entry);
    if (entry.change === 'enrolled') await enroll(tx, entry, devices);
    else await revoke(tx, entry);
    const [appended] = await log.append(tx, [{ laneKey: entry.member, event: changed(entry, hash) }]);
    if (appended === undefined) throw new TypeError('the log appended nothing');
    await store.addEntry(tx, entry, { ...appended, jws, hash, approved, number: chain.length + 1 });
    reached('directory.before-commit');
    return 'recorded';
  };

  const verifiedDevices = async (chain: readonly string[], entry: DirectoryEntry) => {
    const verdict = await verifyDirectoryChain(chain, { trust, member: entry.member, now: surroundings.now() });
    if (verdict.kind === 'ok') return verdict.devices;
    throw refusal(entry, verdict.reason);
  };

  const enroll = async (
    tx: Sql,
    entry: DirectoryEntry,
    devices: Awaited<ReturnType<typeof verifiedDevices>>,
  ): Promise<void> => {
    if (!log.healthy(surroundings.now())) throw directoryError('ERR_DIRECTORY_LOG_STALLED', { retryAfter: 1 });
    const device = devices.find((known) => known.device === entry.device);
    // The chain verifies but its newest certificate has run out: such a device could do nothing.
    if (device === undefined) throw refusedEntry('certificate');
    const keyId = await keyIdOf(device.publicJwk);
    if (!(await store.isFree(tx, entry.device, entry.member, keyId)))
      throw directoryError('ERR_DIRECTORY_DEVICE_TAKEN');
    await store.putDevice(tx, device, { keyId, chain: entry.chain, notAfter: device.notAfter });
  };

  const revoke = async (tx: Sql, entry: DirectoryEntry): Promise<void> => {
    if (!(await store.revokeDevice(tx, entry.device, entry.member, surroundings.now())))
      throw directoryError('ERR_DIRECTORY_DEVICE_UNKNOWN');
    for (const listener of revoking) await listener(tx, entry.device);
  };

  const changed = (entry: DirectoryEntry, hash: string) =>
    ({
      v: 1,
      kind: 'directory.changed',
      at: surroundings.now(),
      member: entry.member,
      device: entry.device,
      change: entry.change,
      entry: hash,
      approval: toBase64url(sha256(utf8(entry.approval.jws))),
    }) as const;

  return {
    async post(jws) {
      const entry = await readEntry(jws, trust);
      const outcome = await database.transaction((tx) => record(tx, jws, entry));
      reached('directory.committed');
      if (outcome === 'recorded') {
        if (entry.change === 'revoked') for (const listener of revoked) listener(entry.device);
        bus.hint('directory');
        bus.hint('lane');
      }
      return { entry: entryHash(jws), outcome };
    },
    async member(member) {
      const chain = await store.chainOf(database, member);
      if (chain.length === 0) return undefined;
      return Promise.all(
        chain.map(async ({ jws, lane, sequence }) => ({
          entry: jws,
          evidence: (await log.evidence({ lane, sequence })) ?? null,
        })),
      );
    },
    device: (device) => store.deviceOf(database, device, surroundings.now()),
    deviceOfKey: (key) => store.deviceOfKey(database, key, surroundings.now()),
    inactive: (devices) => store.inactiveOf(database, devices, surroundings.now()),
    holdActive: (tx, devices) => store.holdActive(tx, devices, surroundings.now()),
    onRevoking: (listener) => void revoking.push(listener),
    onRevoked(listener) {
      revoked.add(listener);
      return () => void revoked.delete(listener);
    },
  };
}

/** What the verifier found wrong, in this door's words. */
function refusal(entry: DirectoryEntry, reason: string) {
  if (reason === 'approval-reused') return directoryError('ERR_DIRECTORY_APPROVAL_USED');
  if (reason !== 'device') return refusedEntry(reason);
  return directoryError(entry.change === 'enrolled' ? 'ERR_DIRECTORY_DEVICE_TAKEN' : 'ERR_DIRECTORY_DEVICE_UNKNOWN');
}

const refusedEntry = (detail: string) =>
  directoryError('ERR_DIRECTORY_ENTRY', { details: [{ pointer: '/entry', detail }] });

async function readEntry(jws: string, trust: Trust): Promise<DirectoryEntry> {
  const key = trust.control.submit.jwk;
  const verdict = await verifyJws(jws, { typ: DIRECTORY_TYPE, key, schema: directoryEntrySchema });
  if (verdict.kind === 'refused') throw refusedEntry(verdict.reason);
  if (verdict.payload.organisation !== trust.organisation) throw refusedEntry('organisation');
  return verdict.payload;
}

function requireLink(entry: DirectoryEntry, head: string | null): void {
  if (entry.previous !== head) throw directoryError('ERR_DIRECTORY_HEAD');
}

/** What the approver allowed ends at the moment the approver signed, whoever holds the approval later. */
function requireFresh(entry: DirectoryEntry, now: number): void {
  const invite = APPROVED_OBJECTS['device.invite'].safeParse(entry.approval.object);
  if (!invite.success) throw refusedEntry('approval');
  if (now > invite.data.expires + SKEW) throw directoryError('ERR_DIRECTORY_INVITE_EXPIRED');
}
