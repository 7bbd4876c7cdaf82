/**
 * What a dispatcher finds in its folder: a trust file that names the tests' dispatch key, signed by a root made on the
 * spot, the key store with that key, and the secrets of its channels.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSigningKey, issueCertificate, type PrivateJwk, signJws } from '@sealpost/crypto/signer';
import { caUri } from '@sealpost/crypto/verify';
import { ensureKek, openKeyStore } from '@sealpost/platform';
import { TRUST_TYPE, toBase64url, utf8 } from '@sealpost/protocol';
import type { Organisation } from '../support/organisation.ts';

const DAY = 86_400_000;

export interface DispatcherFolder {
  readonly path: string;
  readonly trust_file: string;
  readonly root_file: string;
  readonly keys: { readonly folder: string; readonly kek_file: string };
  /** Writes a secret and answers its path. */
  secret(name: string, text: string): Promise<string>;
}

export async function createDispatcherFolder(
  { trust }: Organisation,
  dispatch: { readonly id: string; readonly publicKey: string; readonly privateJwk: PrivateJwk },
): Promise<DispatcherFolder> {
  const path = await mkdtemp(join(tmpdir(), 'sealpost-dispatcher-'));
  const [root, other] = await Promise.all([createSigningKey('ES256'), createSigningKey('ES256')]);
  const now = Date.now();
  const start = now - (now % 1000) - DAY;
  const authority = (name: string, subject: typeof root, certificate: Uint8Array | 'self') =>
    issueCertificate({
      subjectPublicKey: subject.signer.publicJwk,
      uri: caUri(trust.organisation, name),
      usage: 'ca',
      notBefore: start,
      notAfter: start + (certificate === 'self' ? 2000 : 1000) * DAY,
      serial: new Uint8Array(randomBytes(16)),
      issuer: { signer: root.signer, certificate },
    });
  const rootDer = await authority('root', root, 'self');
  const [devices, services] = [await authority('devices', other, rootDer), await authority('services', other, rootDer)];
  const own = {
    ...trust,
    root: toBase64url(rootDer),
    deviceCa: toBase64url(devices),
    serviceCa: toBase64url(services),
    dispatch: { id: dispatch.id, publicKey: dispatch.publicKey },
  };
  const secret = async (name: string, text: string) => {
    await writeFile(join(path, name), text, { mode: 0o600 });
    return join(path, name);
  };
  const keys = { folder: join(path, 'keys'), kek_file: join(path, 'kek') };
  ensureKek(keys.kek_file);
  openKeyStore(keys).createSecret('dispatch', utf8(JSON.stringify(dispatch.privateJwk)));
  await writeFile(join(path, 'root.der'), rootDer);
  return {
    path,
    trust_file: await secret('trust.jws', await signJws(TRUST_TYPE, own, root.signer)),
    root_file: join(path, 'root.der'),
    keys,
    secret,
  };
}
