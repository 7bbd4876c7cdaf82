/**
 * Verifying the trust file (protocol/trust.ts) against the pinned root certificate: signed by the root's key, its CAs
 * certified by the root, each key id the thumbprint of its key. A server that cannot verify it does not start.
 */
import { equalBytes, fromBase64url, TRUST_TYPE, type Trust, trustSchema } from '@sealpost/protocol';
import { jwkOfPoint } from '../primitives/jwk.ts';
import { thumbprint } from '../primitives/key-id.ts';
import { authorityRefusal, certifiedKey } from './certificate-chain.ts';
import { verifyJws } from './jws.ts';

export type TrustVerdict =
  | { readonly kind: 'ok'; readonly trust: Trust }
  | {
      readonly kind: 'refused';
      readonly reason: 'root' | 'signature' | 'malformed' | 'other-root' | 'device-ca' | 'service-ca' | 'key-id';
    };

const refused = (reason: Extract<TrustVerdict, { kind: 'refused' }>['reason']): TrustVerdict => ({
  kind: 'refused',
  reason,
});

export async function verifyTrust(jws: string, rootCertificate: Uint8Array): Promise<TrustVerdict> {
  const key = certifiedKey(rootCertificate);
  if (key === undefined || (await authorityRefusal(rootCertificate, rootCertificate)) !== undefined) {
    return refused('root');
  }
  const verdict = await verifyJws(jws, { typ: TRUST_TYPE, key, schema: trustSchema });
  if (verdict.kind === 'refused') return refused(verdict.reason === 'signature' ? 'signature' : 'malformed');
  const trust = verdict.payload;
  const root = fromBase64url(trust.root);
  if (root === undefined || !equalBytes(root, rootCertificate)) return refused('other-root');
  if (!(await certifies(rootCertificate, trust.deviceCa))) return refused('device-ca');
  if (!(await certifies(rootCertificate, trust.serviceCa))) return refused('service-ca');
  return keysAreNamed(trust) ? { kind: 'ok', trust } : refused('key-id');
}

async function certifies(root: Uint8Array, authority: string): Promise<boolean> {
  const der = fromBase64url(authority);
  return der !== undefined && (await authorityRefusal(der, root)) === undefined;
}

function keysAreNamed({ operators, approvers, control, gateway, dispatch }: Trust): boolean {
  const signing = [...operators, ...approvers, control.submit, gateway.receipts];
  const agreeing = [dispatch, ...(control.inbound === undefined ? [] : [control.inbound])];
  return signing.every(({ id, jwk }) => id === thumbprint(jwk)) && agreeing.every(pointIsNamed);
}

function pointIsNamed({ id, publicKey }: Trust['dispatch']): boolean {
  const point = jwkOfPoint(fromBase64url(publicKey) ?? new Uint8Array(0));
  return point !== undefined && id === thumbprint(point);
}
