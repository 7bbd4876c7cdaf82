/**
 * People and their devices for tests: real keys, certificates of the device CA, approvals and directory entries, each made
 * as control and the approver make them, with every part open to being wrong.
 */
import { randomBytes } from 'node:crypto';
import { createSigningKey, issueCertificate, type Signer, signJws } from '@sealpost/crypto/signer';
import { entryHash, memberDeviceUri, sha256 } from '@sealpost/crypto/verify';
import {
  APPROVAL_TYPE,
  type ApprovalAction,
  canonicalBytes,
  type DeviceId,
  DIRECTORY_TYPE,
  type DirectoryEntry,
  deviceIdSchema,
  fromBase64url,
  type MemberId,
  memberIdSchema,
  toBase64url,
} from '@sealpost/protocol';
import type { Key, Organisation } from '../support/organisation.ts';

export const DAY = 86_400_000;
export const random = (length: number) => toBase64url(new Uint8Array(randomBytes(length)));

export interface Person {
  readonly member: MemberId;
  readonly device: DeviceId;
  readonly signer: Signer;
  /** DER, leaf only: the device CA is the anchor. */
  readonly chain: readonly Uint8Array[];
}

export interface CertificateWishes {
  readonly notAfter?: number;
  readonly device?: DeviceId;
  readonly signer?: Signer;
}

export async function createPerson(
  organisation: Organisation,
  name: string,
  { notAfter, device = newDeviceId(), signer }: CertificateWishes = {},
): Promise<Person> {
  const member = memberIdSchema.parse(name);
  const key = signer ?? (await createSigningKey('ES256')).signer;
  const now = Date.now();
  const start = now - (now % 1000) - 3_600_000;
  const certificate = await issueCertificate({
    subjectPublicKey: key.publicJwk,
    uri: memberDeviceUri(organisation.trust.organisation, member, device),
    usage: 'device',
    notBefore: start,
    notAfter: notAfter ?? start + 30 * DAY,
    serial: new Uint8Array(randomBytes(16)),
    issuer: { signer: organisation.keys.deviceCa.signer, certificate: fromBase64url(organisation.trust.deviceCa)! },
  });
  return { member, device, signer: key, chain: [certificate] };
}

export function newDeviceId(): DeviceId {
  return deviceIdSchema.parse(`dev_${random(17).slice(0, 22)}`);
}

export async function approve(
  organisation: Organisation,
  action: ApprovalAction,
  object: Record<string, unknown>,
  now: number,
  by: Key = organisation.keys.approver,
): Promise<DirectoryEntry['approval']> {
  const approval = {
    v: 1,
    organisation: organisation.trust.organisation,
    action,
    object: toBase64url(sha256(canonicalBytes(object))),
    approver: by.signer.keyId,
    issued: now - 1000,
    expires: now + 600_000,
  };
  return { object, jws: await signJws(APPROVAL_TYPE, approval, by.signer) };
}

export function invitation({ member }: Pick<Person, 'member'>, now: number) {
  return { member, codeHash: random(32), expires: now + 600_000, nonce: random(16) };
}

export interface EntryWishes {
  readonly previous?: string | null;
  readonly approval?: DirectoryEntry['approval'];
  readonly by?: Key;
  readonly at?: number;
}

export async function enrolled(organisation: Organisation, person: Person, wishes: EntryWishes = {}): Promise<string> {
  const at = wishes.at ?? Date.now();
  const approval = wishes.approval ?? (await approve(organisation, 'device.invite', invitation(person, at), at));
  return await sign(organisation, person, 'enrolled', approval, at, wishes);
}

export async function revoked(organisation: Organisation, person: Person, wishes: EntryWishes = {}): Promise<string> {
  const at = wishes.at ?? Date.now();
  const object = { member: person.member, device: person.device, reason: 'lost in a taxi', nonce: random(16) };
  const approval = wishes.approval ?? (await approve(organisation, 'device.revoke', object, at));
  return await sign(organisation, person, 'revoked', approval, at, wishes);
}

async function sign(
  { trust, keys }: Organisation,
  { member, device, chain }: Person,
  change: DirectoryEntry['change'],
  approval: DirectoryEntry['approval'],
  at: number,
  { previous = null, by = keys.submit }: EntryWishes,
): Promise<string> {
  const entry = {
    v: 1,
    organisation: trust.organisation,
    member,
    device,
    change,
    name: 'phone',
    chain: chain.map(toBase64url),
    approval,
    at,
    previous,
  };
  return await signJws(DIRECTORY_TYPE, entry, by.signer);
}

export { entryHash };
