/**
 * From what control answered, or the store held, to an identity that may act: the trust file signed by the root, the
 * chain up to its device CA, the certificate for exactly this member, this device and this key.
 */
import type { MlsIdentity } from '@sealpost/crypto/mls';
import type { Signer } from '@sealpost/crypto/signer';
import { memberDeviceUri, verifyCertificateChain, verifyTrust } from '@sealpost/crypto/verify';
import { fromBase64url, type Timestamp, type Trust } from '@sealpost/protocol';
import { clientError } from '../client-errors.ts';
import type { DeviceIdentity } from '../device.ts';
import type { StoredIdentity } from './identity-schema.ts';

export interface VerifiedIdentity {
  readonly identity: DeviceIdentity;
  readonly mls: MlsIdentity;
  readonly signer: Signer;
  readonly trust: Trust;
  readonly anchors: Anchors;
  readonly gateway: string;
  readonly expires: Timestamp;
}

/** DER of what every other certificate must chain to. */
export interface Anchors {
  readonly deviceCa: Uint8Array;
  readonly root: Uint8Array;
}

/** `now`: a time at which the certificate must be valid. */
export async function verifyIdentity(
  stored: StoredIdentity,
  signer: Signer,
  now: Timestamp,
): Promise<VerifiedIdentity> {
  const root = bytesOf(stored.root);
  const verdict = await verifyTrust(stored.trust, root);
  if (verdict.kind === 'refused') throw untrusted('trust', verdict.reason);
  const { trust } = verdict;
  const chain = stored.chain.map(bytesOf);
  const anchors = { deviceCa: bytesOf(trust.deviceCa), root };
  const leaf = await verifyCertificateChain(chain, { anchor: anchors.deviceCa, root, now, usage: 'device' });
  if (leaf.kind === 'refused') throw untrusted('certificate', leaf.reason);
  const uri = memberDeviceUri(trust.organisation, stored.member, stored.device);
  if (leaf.uri !== uri) throw untrusted('certificate', 'name');
  if (leaf.publicJwk.x !== signer.publicJwk.x || !sameY(leaf.publicJwk, signer.publicJwk))
    throw untrusted('certificate', 'key');
  return {
    identity: { organisation: trust.organisation, member: stored.member, device: stored.device, uri },
    mls: { chain, signer },
    signer,
    trust,
    anchors,
    gateway: stored.gateway,
    expires: leaf.notAfter,
  };
}

function sameY(a: Signer['publicJwk'], b: Signer['publicJwk']): boolean {
  return a.kty === 'EC' && b.kty === 'EC' && a.y === b.y;
}

function bytesOf(text: string): Uint8Array {
  const bytes = fromBase64url(text);
  if (bytes === undefined) throw untrusted('encoding', 'malformed');
  return bytes;
}

function untrusted(pointer: string, detail: string) {
  return clientError('ERR_CLIENT_TRUST', { details: [{ pointer, detail }] });
}
