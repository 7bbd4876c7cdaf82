/**
 * Enrollment: from an approver's invitation to a device in the directory, and back out again by revocation. The answer
 * to a device is given only once its entry is at the gateway; asking again with the same code and key gives the same.
 */
import { keyIdOf, type PublicJwk, type Signer } from '@sealpost/crypto/signer';
import { verifyCertificateRequest } from '@sealpost/crypto/verify';
import type { Database, Logger, Surroundings } from '@sealpost/platform';
import {
  type AgentId,
  type ApprovedObject,
  type controlApi,
  deviceIdSchema,
  type EnrollmentAnswer,
  fromBase64url,
  type MemberId,
  type Trust,
  toBase64url,
} from '@sealpost/protocol';
import type { z } from 'zod';
import type { GatewayClient } from '../../gateway/gateway-client.ts';
import { reached } from '../../points.ts';
import { createAttempts, type Identity, identityError } from '../identity/index.ts';
import { createDeviceCa, deviceIdOf, type IssuedChain } from './device-ca.ts';
import { enrollmentError } from './enrollment-errors.ts';
import { createInvites, type Invite } from './invites.ts';
import { createLedger, type DirectoryStanding, type LedgerEntry } from './ledger.ts';

type EnrollmentRequest = z.output<typeof controlApi.enrollmentRequestSchema>;
type Outcome = 'done' | 'already';

export interface Enrollment {
  invite(object: ApprovedObject<'device.invite'>, approval: string): Promise<Outcome>;
  /** `address`: where the request came from, to limit guessing. */
  enrol(request: EnrollmentRequest, address: string): Promise<EnrollmentAnswer>;
  /** Takes effect at the gateway before it answers; while the gateway is away it keeps being tried. */
  revoke(object: ApprovedObject<'device.revoke'>, approval: string): Promise<Outcome>;
  /** What control itself has signed about a member's devices: the gateway is not believed to show all of it. */
  standing(member: MemberId): Promise<DirectoryStanding>;
  /** A certificate for one of our own agents. */
  agentChain(agent: AgentId, publicKey: PublicJwk): Promise<IssuedChain>;
  /** Posts what a crash or an absent gateway left behind, now and every few seconds. */
  start(): void;
  stop(): Promise<void>;
}

export interface EnrollmentDeps {
  readonly database: Database;
  readonly gateway: Pick<GatewayClient, 'postDirectory' | 'directory'>;
  readonly identity: Pick<Identity, 'approve' | 'spend' | 'hasMember'>;
  readonly trust: Trust;
  readonly trustJws: string;
  /** Device listener of the gateway, as devices are told. */
  readonly gatewayUrl: string;
  /** ES256. */
  readonly deviceCaSigner: Signer;
  /** Ed25519. */
  readonly submitSigner: Signer;
  readonly surroundings: Surroundings;
  readonly logger: Logger;
}

const RETRY = 5000;

export function createEnrollment(deps: EnrollmentDeps): Enrollment {
  const { database, identity, trust, surroundings } = deps;
  const ca = createDeviceCa({ signer: deps.deviceCaSigner, trust, surroundings });
  const attempts = createAttempts({ sql: database, surroundings, kind: 'enrollment' });
  const invites = createInvites({ sql: database, surroundings });
  const ledger = createLedger({ ...deps, organisation: trust.organisation });
  let timer: NodeJS.Timeout | undefined;
  let posting: Promise<void> = Promise.resolve();

  const openInvite = async (code: string, address: string): Promise<Invite> => {
    const retryAfter = await attempts.wait(address);
    if (retryAfter !== undefined) throw enrollmentError('ERR_ENROLLMENT_LIMITED', { retryAfter });
    const invite = await invites.open(code);
    if (invite !== undefined) return invite;
    await attempts.failed(address);
    throw enrollmentError('ERR_ENROLLMENT_CODE');
  };
  const provenKey = async (request: string, invite: Invite): Promise<PublicJwk> => {
    const der = fromBase64url(request);
    const proven = der === undefined ? undefined : await verifyCertificateRequest(der);
    if (proven !== undefined && proven.publicJwk.kty === 'EC') return proven.publicJwk;
    await invites.tried(invite.codeHash);
    throw enrollmentError('ERR_ENROLLMENT_POSSESSION');
  };
  /** Binds the code, issues the certificate and signs the entry, all or nothing; what is bound already is left as it is. */
  const record = async (invite: Invite, key: PublicJwk, name: string): Promise<LedgerEntry> => {
    const keyId = await keyIdOf(key);
    const device = deviceIdOf(keyId);
    const { member, object, approval } = invite;
    if (invite.boundTo !== undefined && invite.boundTo.keyId !== keyId) await invites.tried(invite.codeHash);
    return database.transaction(async (tx) => {
      await invites.bind(tx, invite.codeHash, device, keyId);
      const known = await ledger.newest(tx, member, device);
      if (await ledger.isAnothers(tx, member, device)) throw enrollmentError('ERR_ENROLLMENT_KEY');
      if (known?.change === 'revoked') throw enrollmentError('ERR_ENROLLMENT_USED');
      if (known === undefined || known.expiresAt <= surroundings.now()) {
        const issued = await ca.issueToDevice(member, device, key);
        const chain = issued.chain.map(toBase64url);
        const change = {
          member,
          device,
          change: 'enrolled',
          name,
          chain,
          approval: { object, jws: approval },
        } as const;
        await ledger.append(tx, { ...change, expiresAt: issued.notAfter });
      }
      const entry = await ledger.newest(tx, member, device);
      if (entry === undefined) throw new TypeError('an entry was just appended');
      return entry;
    });
  };
  return {
    async invite(object, approval) {
      const allowed = await identity.approve('device.invite', object, approval);
      invites.checkLifetime(object);
      if (!(await identity.hasMember(object.member))) {
        throw identityError('ERR_IDENTITY_MEMBER', {
          details: [{ pointer: '/object/member', detail: 'is not registered' }],
        });
      }
      const outcome = await database.transaction(async (tx) => {
        const spent = await identity.spend(tx, allowed);
        if (spent === 'done') await invites.add(tx, object, approval, allowed.expires);
        return spent;
      });
      reached('enrollment.invited');
      return outcome;
    },
    async enrol({ code, name, request }, address) {
      const invite = await openInvite(code, address);
      const key = await provenKey(request, invite);
      const entry = await record(invite, key, name);
      reached('enrollment.recorded');
      if (!entry.posted) await ledger.post(invite.member);
      return {
        device: deviceIdSchema.parse(entry.device),
        member: invite.member,
        chain: [...entry.chain],
        trust: deps.trustJws,
        gateway: deps.gatewayUrl,
        expires: entry.expiresAt,
      };
    },
    async revoke(object, approval) {
      const allowed = await identity.approve('device.revoke', object, approval);
      const outcome = await database.transaction(async (tx) => {
        const known = await ledger.newest(tx, object.member, object.device);
        if (known === undefined) throw enrollmentError('ERR_ENROLLMENT_DEVICE');
        await identity.spend(tx, allowed);
        // Not whether the approval is new decides but whether the device is still in: taking away again is no harm.
        if (known.change === 'revoked') return 'already';
        const { member, name, chain, expiresAt } = known;
        const device = deviceIdSchema.parse(object.device);
        const change = {
          member,
          device,
          change: 'revoked',
          name,
          chain,
          approval: { object, jws: approval },
        } as const;
        await ledger.append(tx, { ...change, expiresAt });
        return 'done';
      });
      await ledger.post(object.member);
      return outcome;
    },
    standing: ledger.standing,
    agentChain: ca.issueToAgent,
    start() {
      const post = () => {
        posting = ledger.postAll().catch(() => deps.logger.warn('directory entries not read'));
      };
      post();
      timer = setInterval(post, RETRY);
      timer.unref();
    },
    async stop() {
      clearInterval(timer);
      await posting;
    },
  };
}
