/**
 * The issuing side of the device CA: leaf certificates of at most thirty days (GSMA RCC.16 allows 76), naming the device
 * or the agent in their SAN URI. What a certificate says comes from here, never from the request for it.
 */
import { issueCertificate, type PublicJwk, type Signer } from '@sealpost/crypto/signer';
import { agentUri, memberDeviceUri } from '@sealpost/crypto/verify';
import type { Surroundings } from '@sealpost/platform';
import {
  type AgentId,
  type DeviceId,
  deviceIdSchema,
  fromBase64url,
  type KeyId,
  type MemberId,
  type Timestamp,
  type Trust,
} from '@sealpost/protocol';

const DAY = 86_400_000;
export const CERTIFICATE_LIFETIME = 30 * DAY;
/** Devices' clocks run behind. */
const BACKDATED = 60_000;

export interface IssuedChain {
  /** DER, leaf first; the anchor is the trust file's device CA and left out. */
  readonly chain: readonly Uint8Array[];
  readonly notAfter: Timestamp;
}

export interface DeviceCa {
  issueToDevice(member: MemberId, device: DeviceId, publicKey: PublicJwk): Promise<IssuedChain>;
  issueToAgent(agent: AgentId, publicKey: PublicJwk): Promise<IssuedChain>;
}

/** A device is named after its key: 22 letters of the RFC 7638 thumbprint hold 132 of its bits. */
export function deviceIdOf(key: KeyId): DeviceId {
  return deviceIdSchema.parse(`dev_${key.slice(0, 22)}`);
}

export function createDeviceCa(deps: { signer: Signer; trust: Trust; surroundings: Surroundings }): DeviceCa {
  const { signer, trust, surroundings } = deps;
  const certificate = fromBase64url(trust.deviceCa);
  if (certificate === undefined) throw new TypeError('a verified trust file holds a device CA');
  const issue = async (uri: string, usage: 'device' | 'agent', subjectPublicKey: PublicJwk): Promise<IssuedChain> => {
    // X.509 counts whole seconds.
    const notBefore = Math.floor((surroundings.now() - BACKDATED) / 1000) * 1000;
    const notAfter = notBefore + CERTIFICATE_LIFETIME;
    const serial = surroundings.random(16);
    const issuer = { signer, certificate };
    const leaf = await issueCertificate({ subjectPublicKey, uri, usage, notBefore, notAfter, serial, issuer });
    return { chain: [leaf], notAfter };
  };
  return {
    issueToDevice: (member, device, key) => issue(memberDeviceUri(trust.organisation, member, device), 'device', key),
    issueToAgent: (agent, key) => issue(agentUri(trust.organisation, agent), 'agent', key),
  };
}
