/** An organisation for stories about devices: root, CAs, trust file, agents' and devices' certificates. One clock, `NOW`. */
import { createDispatchKey } from '@sealpost/crypto/dispatch';
import type { MlsIdentity } from '@sealpost/crypto/mls';
import { createSigningKey, issueCertificate, type PublicJwk, type Signer, signJws } from '@sealpost/crypto/signer';
import { agentUri, caUri, memberDeviceUri } from '@sealpost/crypto/verify';
import {
  type AgentId,
  type DeviceId,
  type MemberId,
  organisationSchema,
  TRUST_TYPE,
  toBase64url,
  trustSchema,
} from '@sealpost/protocol';
import type { ClientSurroundings } from '../src/index.ts';

export const DAY = 86_400_000;
export const NOW = Date.UTC(2026, 10, 23, 12);
export const ACME = organisationSchema.parse('acme.example');

export const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));
export const surroundings: ClientSurroundings = { now: () => NOW, random };

const newSigner = async (algorithm: 'EdDSA' | 'ES256') => (await createSigningKey(algorithm)).signer;

export type Organisation = Awaited<ReturnType<typeof createOrganisation>>;

export async function createOrganisation() {
  const [root, deviceCa, serviceCa] = await Promise.all([newSigner('ES256'), newSigner('ES256'), newSigner('ES256')]);
  const [operator, approver, submit, receipts] = await Promise.all([
    newSigner('EdDSA'),
    newSigner('EdDSA'),
    newSigner('EdDSA'),
    newSigner('EdDSA'),
  ]);
  const { key: dispatch } = await createDispatchKey();
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
      serial: random(16),
      issuer,
      ...(name === 'root' ? {} : { pathLength: 0 }),
    });
  const rootDer = await ca('root', root, { signer: root, certificate: 'self' }, 3650);
  const deviceCaDer = await ca('device', deviceCa, { signer: root, certificate: rootDer }, 1800);
  const serviceCaDer = await ca('service', serviceCa, { signer: root, certificate: rootDer }, 1800);
  const named = (signer: Signer) => ({ id: signer.keyId, jwk: signer.publicJwk });
  const trust = trustSchema.parse({
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
    dispatch: { id: dispatch.id, publicKey: dispatch.publicKey },
  });
  const issue = (subjectPublicKey: PublicJwk, uri: string, usage: 'device' | 'agent', days = 30) =>
    issueCertificate({
      subjectPublicKey,
      uri,
      usage,
      notBefore: NOW - 60_000,
      notAfter: NOW + days * DAY,
      serial: random(16),
      issuer: { signer: deviceCa, certificate: deviceCaDer },
    });
  const identity = async (uri: string, usage: 'device' | 'agent'): Promise<MlsIdentity> => {
    const signer = await newSigner('ES256');
    return { signer, chain: [await issue(signer.publicJwk, uri, usage)] };
  };
  return {
    rootDer,
    trust,
    anchors: { deviceCa: deviceCaDer, root: rootDer },
    trustJws: await signJws(TRUST_TYPE, trust, root),
    issueDevice: (key: PublicJwk, member: MemberId, device: DeviceId, days?: number) =>
      issue(key, memberDeviceUri(ACME, member, device), 'device', days),
    agent: (agent: AgentId) => identity(agentUri(ACME, agent), 'agent'),
    sibling: (member: MemberId, device: DeviceId) => identity(memberDeviceUri(ACME, member, device), 'device'),
  };
}
