/** An organisation for tests: its keys, its CAs, its trust file, its members' devices. One clock: `NOW`. */
import {
  APPROVAL_TYPE,
  type ApprovalAction,
  canonicalBytes,
  type DeviceId,
  DIRECTORY_TYPE,
  type DirectoryEntry,
  deviceIdSchema,
  type Envelope,
  envelopeSchema,
  type MemberId,
  memberIdSchema,
  organisationSchema,
  TRUST_TYPE,
  type Trust,
  toBase64url,
  trustSchema,
} from '@sealpost/protocol';
import { createDispatchKey } from '../../src/dispatch/index.ts';
import { createSigningKey, issueCertificate, type Signer, signJws } from '../../src/signer/index.ts';
import { caUri, memberDeviceUri, sha256 } from '../../src/verify/index.ts';

export const DAY = 86_400_000;
export const NOW = Date.UTC(2026, 10, 23, 12);
export const ACME = organisationSchema.parse('acme.example');
export const ALICE = memberIdSchema.parse('alice');
export const BOB = memberIdSchema.parse('bob');
export const deviceNamed = (letter: string): DeviceId => deviceIdSchema.parse(`dev_${letter.repeat(22)}`);

let serials = 0;
export const serial = () => Uint8Array.from({ length: 16 }, (_, at) => (at === 15 ? serials++ & 0xff : 0x80 + at));
export const signerOf = async (algorithm: 'EdDSA' | 'ES256') => (await createSigningKey(algorithm)).signer;
export const hashOf = (object: unknown) => toBase64url(sha256(canonicalBytes(object)));

export async function createOrganisation() {
  const [root, deviceCa, serviceCa] = [await signerOf('ES256'), await signerOf('ES256'), await signerOf('ES256')];
  const [operator, approver] = [await signerOf('EdDSA'), await signerOf('EdDSA')];
  const [submit, receipts] = [await signerOf('EdDSA'), await signerOf('EdDSA')];
  const dispatch = await createDispatchKey();
  const ca = (
    name: string,
    signer: Signer,
    issuer: { signer: Signer; certificate: Uint8Array | 'self' },
    days: number,
  ) =>
    issueCertificate({
      subjectPublicKey: signer.publicJwk,
      uri: caUri(ACME, name),
      usage: 'ca',
      notBefore: NOW - DAY,
      notAfter: NOW + days * DAY,
      serial: serial(),
      issuer,
      ...(name === 'root' ? {} : { pathLength: 0 }),
    });
  const rootDer = await ca('root', root, { signer: root, certificate: 'self' }, 3650);
  const deviceCaDer = await ca('device', deviceCa, { signer: root, certificate: rootDer }, 1800);
  const serviceCaDer = await ca('service', serviceCa, { signer: root, certificate: rootDer }, 1800);
  const named = (signer: Signer) => ({ id: signer.keyId, jwk: signer.publicJwk });
  const trust: Trust = trustSchema.parse({
    v: 1,
    organisation: ACME,
    issued: NOW - DAY,
    root: toBase64url(rootDer),
    deviceCa: toBase64url(deviceCaDer),
    serviceCa: toBase64url(serviceCaDer),
    operators: [named(operator)],
    approvers: [named(approver)],
    control: { submit: named(submit), witness: 'control+00000000+AAAA' },
    gateway: {
      audience: 'https://gateway.acme.example',
      receipts: named(receipts),
      log: 'acme.example/log+00000000+AAAA',
    },
    dispatch: { id: dispatch.key.id, publicKey: dispatch.key.publicKey },
  });
  const issueDevice = (signer: Signer, member: MemberId, device: DeviceId, at = NOW - 60_000) =>
    issueCertificate({
      subjectPublicKey: signer.publicJwk,
      uri: memberDeviceUri(ACME, member, device),
      usage: 'device',
      notBefore: at,
      notAfter: at + 76 * DAY,
      serial: serial(),
      issuer: { signer: deviceCa, certificate: deviceCaDer },
    });
  const approve = (action: ApprovalAction, object: unknown, change: object = {}, by: Signer = approver) =>
    signJws(
      APPROVAL_TYPE,
      {
        v: 1,
        organisation: ACME,
        action,
        object: hashOf(object),
        approver: by.keyId,
        issued: NOW - 120_000,
        expires: NOW + 3_600_000,
        ...change,
      },
      by,
    );
  const signEntry = (entry: Partial<DirectoryEntry>, by: Signer = submit) =>
    signJws(
      DIRECTORY_TYPE,
      { v: 1, organisation: ACME, name: 'phone', at: NOW - 60_000, previous: null, ...entry },
      by,
    );
  return {
    root,
    deviceCa,
    serviceCa,
    operator,
    approver,
    submit,
    receipts,
    dispatch,
    rootDer,
    deviceCaDer,
    serviceCaDer,
    trust,
    issueDevice,
    approve,
    signEntry,
    trustJws: (changed: object = {}, by: Signer = root) => signJws(TRUST_TYPE, { ...trust, ...changed }, by),
  };
}

export function envelope(at: number, change: Partial<Envelope> = {}): Envelope {
  return envelopeSchema.parse({
    v: 1,
    organisation: 'acme.example',
    sender: 'acme-incidents',
    message: `01890000-0000-7000-8000-${at.toString(16).padStart(12, '0')}`,
    conversation: 'con_AAAAAAAAAAAAAAAAAAAAAA',
    recipient: 'alice',
    flow: 'incident-alerts',
    bundle: 3,
    classification: 'confidential',
    floor: 'e2ee',
    created: NOW,
    expires: NOW + 3_600_000,
    parts: [{ form: 'device', epoch: 1, ciphertext: 'AAAA'.repeat(100) }],
    blobs: [],
    commitment: 'A'.repeat(43),
    ...change,
  });
}
