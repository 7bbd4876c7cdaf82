/**
 * Whom a certificate names, for the MLS engine and for key packages. A key package is used only when it is of the very
 * device the directory proves: same name, same key.
 */
import type { MlsEngine, VerifyCredential } from '@sealpost/crypto/mls';
import { type DirectoryDevice, verifyCertificateChain } from '@sealpost/crypto/verify';
import { fromBase64url, type Timestamp, type Trust } from '@sealpost/protocol';

export interface Anchors {
  readonly anchor: Uint8Array;
  readonly root: Uint8Array;
}

export function anchorsOf({ deviceCa, root }: Trust): Anchors {
  const [anchor, top] = [fromBase64url(deviceCa), fromBase64url(root)];
  if (anchor === undefined || top === undefined) throw new TypeError('a verified trust file holds its authorities');
  return { anchor, root: top };
}

export function credentialCheck(anchors: Anchors): VerifyCredential {
  return async (chain, now) => {
    for (const usage of ['device', 'agent'] as const) {
      const verdict = await verifyCertificateChain(chain, { ...anchors, now, usage });
      if (verdict.kind === 'ok') return { uri: verdict.uri, chain };
    }
    return undefined;
  };
}

/** Whether an agent's certificate lasts at least that much longer. */
export async function lasts(chain: readonly Uint8Array[], anchors: Anchors, now: Timestamp, minimumLeft: number) {
  const verdict = await verifyCertificateChain(chain, { ...anchors, now, usage: 'agent', minimumLeft });
  return verdict.kind === 'ok';
}

export async function isPackageOf(
  device: DirectoryDevice,
  keyPackage: Uint8Array,
  { engine, anchors, now }: { engine: MlsEngine; anchors: Anchors; now: Timestamp },
): Promise<boolean> {
  const credential = await engine.readKeyPackage(keyPackage, now).catch(() => undefined);
  if (credential?.uri !== device.uri) return false;
  const verdict = await verifyCertificateChain(credential.chain, { ...anchors, now, usage: 'device' });
  if (verdict.kind === 'refused' || verdict.publicJwk.kty !== 'EC' || device.publicJwk.kty !== 'EC') return false;
  return verdict.publicJwk.x === device.publicJwk.x && verdict.publicJwk.y === device.publicJwk.y;
}
