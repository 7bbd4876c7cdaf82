/**
 * Enrollment: from a single-use code to a device that can be written to. The key is made and stored before the first
 * call, and the code beside it until the end, so that a crash at any step is answered by enrolling again: the same code
 * with the same key gives the same device.
 */
import { createCertificateRequest, type Signer } from '@sealpost/crypto/signer';
import {
  controlApi,
  type DeviceId,
  type EnrollmentAnswer,
  fromBase64url,
  type MemberId,
  type Organisation,
  SealpostError,
  toBase64url,
} from '@sealpost/protocol';
import { clientError } from '../client-errors.ts';
import { createHttp, jsonOf } from '../http.ts';
import { createKeyPackages } from '../key-packages/key-packages.ts';
import { createDeviceEngine } from '../mls-engine.ts';
import type { DeviceStore } from '../store/store.ts';
import { afterOf, type ClientSurroundings } from '../surroundings.ts';
import { fingerprintOf, sameFingerprint } from './fingerprint.ts';
import {
  decodeIdentity,
  decodePending,
  encodeRecord,
  IDENTITY,
  PENDING,
  type PendingEnrollment,
  type StoredIdentity,
} from './identity-schema.ts';
import { type VerifiedIdentity, verifyIdentity } from './verified-identity.ts';

export interface EnrollOptions {
  /** Address of control. */
  readonly control: string;
  /** Single use, from an invitation. */
  readonly code: string;
  /** What the person calls the device. */
  readonly name: string;
  readonly store: DeviceStore;
  /**
   * SHA-256 of the organisation's root certificate, from another way than `control`. Without it the first answer is
   * trusted and its root remembered for good: compare the fingerprint in the result.
   */
  readonly rootFingerprint?: string;
  readonly surroundings: ClientSurroundings;
  /** Plain HTTP to another machine: the code and the first trust file could be read and replaced on the way. */
  readonly unsafePlainHttp?: boolean;
}

export interface Enrolled {
  readonly device: DeviceId;
  readonly member: MemberId;
  readonly organisation: Organisation;
  /** SHA-256 of the root certificate this device trusts from now on, upper-case hex with colons. */
  readonly rootFingerprint: string;
}

export async function enroll(options: EnrollOptions): Promise<Enrolled> {
  const { store, surroundings } = options;
  if (options.unsafePlainHttp !== true) requireSecure(options.control);
  const signer = await prepare(options);
  const known = await store.read(IDENTITY);
  const stored = known === undefined ? await obtain(options, signer) : decodeIdentity(known);
  const verified = await verifyIdentity(stored, signer, surroundings.now());
  const rootFingerprint = checkedRoot(stored, options.rootFingerprint);
  if (options.unsafePlainHttp !== true) requireSecure(stored.gateway);
  await store.write(new Map([[IDENTITY, encodeRecord({ ...stored, expires: verified.expires })]]));
  await uploadFirstKeyPackages(verified, options);
  await store.write(new Map([[PENDING, null]]));
  const { device, member, organisation } = verified.identity;
  return { device, member, organisation, rootFingerprint };
}

/** The key and the pending code, stored before anything is sent. */
async function prepare({ store, control, code, name }: EnrollOptions): Promise<Signer> {
  const pending = await store.read(PENDING);
  const sameAttempt = pending !== undefined && decodePending(pending).code === code;
  if ((await store.read(IDENTITY)) !== undefined && !sameAttempt) throw clientError('ERR_CLIENT_ENROLLED');
  const record: PendingEnrollment = { control, code, name };
  await store.write(new Map([[PENDING, encodeRecord(record)]]));
  return (await store.signer()) ?? (await store.createSigner());
}

async function obtain(options: EnrollOptions, signer: Signer): Promise<StoredIdentity> {
  const { control, code, name, surroundings } = options;
  const request = await createCertificateRequest(signer, { commonName: name });
  const http = createHttp(control, surroundings);
  const answer = await http.post(
    '/v1/enrollments',
    { code, name, request: toBase64url(request) },
    controlApi.enrollmentAnswerSchema,
  );
  return { ...storedForm(answer), name };
}

function storedForm({ device, member, chain, trust, gateway, expires }: EnrollmentAnswer) {
  return { device, member, chain, trust, root: rootIn(trust), gateway, expires };
}

/** The root the trust file claims: nothing before its fingerprint is compared and its signature verified. */
function rootIn(trust: string): string {
  const payload = fromBase64url(trust.split('.')[1] ?? '');
  const claimed = payload === undefined ? undefined : jsonOf(payload);
  if (typeof claimed === 'object' && claimed !== null && 'root' in claimed && typeof claimed.root === 'string')
    return claimed.root;
  throw clientError('ERR_CLIENT_TRUST', { details: [{ pointer: 'trust', detail: 'is malformed' }] });
}

function checkedRoot({ root }: StoredIdentity, expected: string | undefined): string {
  const fingerprint = fingerprintOf(fromBase64url(root) ?? new Uint8Array());
  if (expected !== undefined && !sameFingerprint(expected, fingerprint))
    throw clientError('ERR_CLIENT_ROOT', { details: [{ pointer: 'root', detail: `is ${fingerprint}` }] });
  return fingerprint;
}

/** The directory may be a moment behind control's answer, so a refusal is asked about again a few times. */
async function uploadFirstKeyPackages(verified: VerifiedIdentity, options: EnrollOptions): Promise<void> {
  const { store, surroundings } = options;
  const http = createHttp(verified.gateway, surroundings, verified.signer);
  const engine = createDeviceEngine(verified, surroundings);
  const keyPackages = createKeyPackages({ store, http, engine, verified, surroundings });
  for (let wait = 200; ; wait *= 2) {
    try {
      return await keyPackages.fill(0);
    } catch (error) {
      const passes = error instanceof SealpostError && ['unauthenticated', 'unavailable'].includes(error.kind);
      if (!passes || wait > 2000) throw error;
      await new Promise<void>((resolve) => afterOf(surroundings)(wait, resolve));
    }
  }
}

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

function requireSecure(address: string): void {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const secure = url?.protocol === 'https:' || (url?.protocol === 'http:' && LOOPBACK.test(url.hostname));
  if (!secure) throw clientError('ERR_CLIENT_INSECURE', { details: [{ pointer: 'address', detail: 'is not https' }] });
}
