/**
 * The devices a member may be reached on, believed only as far as control can check it itself: the whole directory chain
 * (control's own signatures, approvals, certificates), and for each entry the log's proof. Nothing of what the gateway
 * says is taken on its word.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type DirectoryDevice, entryHash, verifyDirectoryChain, verifyJws } from '@sealpost/crypto/verify';
import type { Logger, Surroundings } from '@sealpost/platform';
import {
  DIRECTORY_TYPE,
  type DirectoryAnswer,
  directoryEntrySchema,
  type Evidence,
  type MemberId,
  type Trust,
} from '@sealpost/protocol';
import { parseVerifierKey, type VerifierKey } from '@sealpost/tlog';
import type { GatewayClient } from '../../gateway/gateway-client.ts';
import type { Enrollment } from '../enrollment/index.ts';
import { agentsError } from './agents-errors.ts';
import { verifyEntryEvidence } from './evidence.ts';
import type { Heads } from './heads.ts';

export interface RecipientsDeps {
  readonly gateway: Pick<GatewayClient, 'directory'>;
  readonly enrollment: Pick<Enrollment, 'standing'>;
  readonly heads: Heads;
  readonly trust: Trust;
  readonly surroundings: Surroundings;
  readonly logger: Logger;
}

/** A fresh entry is sequenced within a second; what takes longer is for the caller to repeat. */
const TRIES = 20;
const BETWEEN = 250;

interface ProvedEntry {
  readonly entry: string;
  readonly evidence: Evidence;
}

/** Answers the active devices, none for a member without; throws when anything about them cannot be proved. */
export async function resolveRecipient(member: MemberId, deps: RecipientsDeps): Promise<readonly DirectoryDevice[]> {
  const entries = await sequencedEntries(member, deps);
  const devices = await verifiedDevices(member, entries, deps);
  await requireEvidence(entries, deps);
  const { newestPosted, revoked } = await deps.enrollment.standing(member);
  requireWhole(entries, newestPosted, deps);
  return devices.filter(({ device }) => !revoked.includes(device));
}

async function sequencedEntries(member: MemberId, { gateway }: RecipientsDeps): Promise<ProvedEntry[]> {
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const { entries } = await gateway.directory(member);
    const proved = entries.flatMap(proven);
    if (proved.length === entries.length) return proved;
    if (attempt < TRIES) await pause(BETWEEN);
  }
  throw agentsError('ERR_AGENTS_UNSEQUENCED', { retryAfter: 2 });
}

/** Every prefix of a chain verifies: one that ends before what the gateway once took is hiding a change, a revocation say. */
function requireWhole(entries: readonly ProvedEntry[], newestPosted: string | undefined, { logger }: RecipientsDeps) {
  if (newestPosted === undefined || entries.some(({ entry }) => entryHash(entry) === newestPosted)) return;
  logger.error('directory refused', { code: 'ERR_AGENTS_DIRECTORY', reason: 'cut short', count: entries.length });
  throw agentsError('ERR_AGENTS_DIRECTORY', { details: [{ pointer: '/entries', detail: 'cut short' }] });
}

function proven({ entry, evidence }: DirectoryAnswer['entries'][number]): ProvedEntry[] {
  return evidence === null ? [] : [{ entry, evidence }];
}

async function verifiedDevices(member: MemberId, entries: readonly ProvedEntry[], deps: RecipientsDeps) {
  const { trust, surroundings, logger } = deps;
  const chain = entries.map(({ entry }) => entry);
  const verdict = await verifyDirectoryChain(chain, { trust, member, now: surroundings.now() });
  if (verdict.kind === 'ok') return verdict.devices;
  logger.error('directory refused', { code: 'ERR_AGENTS_DIRECTORY', reason: verdict.reason, count: verdict.index });
  throw agentsError('ERR_AGENTS_DIRECTORY', {
    details: [{ pointer: `/entries/${verdict.index}`, detail: verdict.reason }],
  });
}

async function requireEvidence(entries: readonly ProvedEntry[], deps: RecipientsDeps): Promise<void> {
  const logKey = logKeyOf(deps.trust);
  let last = -1;
  for (const [index, { entry, evidence }] of entries.entries()) {
    const key = deps.trust.control.submit.jwk;
    const signed = await verifyJws(entry, { typ: DIRECTORY_TYPE, key, schema: directoryEntrySchema });
    if (signed.kind === 'refused') throw unproved(index, signed.reason, deps);
    const verdict = await verifyEntryEvidence(entry, signed.payload, evidence, logKey);
    if (verdict.kind === 'refused') throw unproved(index, verdict.reason, deps);
    if (verdict.position <= last) throw unproved(index, 'order', deps);
    last = verdict.position;
    const standing = await deps.heads.judge(verdict.checkpoint);
    if (standing === 'forked') throw unproved(index, 'forked', deps);
    if (standing === 'stale') throw agentsError('ERR_AGENTS_EVIDENCE_STALE', { retryAfter: 5 });
  }
}

function unproved(index: number, reason: string, { logger }: RecipientsDeps) {
  logger.error('evidence refused', { code: 'ERR_AGENTS_EVIDENCE', reason, count: index });
  return agentsError('ERR_AGENTS_EVIDENCE', { details: [{ pointer: `/entries/${index}/evidence`, detail: reason }] });
}

function logKeyOf({ gateway }: Trust): VerifierKey {
  const parsed = parseVerifierKey(gateway.log);
  if (parsed.kind !== 'parsed') throw new TypeError('a verified trust file holds the log’s key');
  return parsed.key;
}
