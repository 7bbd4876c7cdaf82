/**
 * An organisation for tests, made with the product's own signers: root, authorities, every named key, a signed trust
 * file, and control's key folder on disk as bootstrap would leave it.
 */
import { createPrivateKey } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDispatchKey } from '@sealpost/crypto/dispatch';
import { createUnwrappingKey } from '@sealpost/crypto/open';
import { createSigningKey, issueCertificate, type PublicJwk, type Signer, signJws } from '@sealpost/crypto/signer';
import { agentUri, caUri, serviceUri, sha256 } from '@sealpost/crypto/verify';
import { ensureKek, type KeyStore, openKeyStore } from '@sealpost/platform';
import {
  APPROVAL_TYPE,
  type ApprovalAction,
  type ApprovedObject,
  approvalSchema,
  canonicalBytes,
  type Organisation,
  organisationSchema,
  TRUST_TYPE,
  type Trust,
  toBase64url,
  trustSchema,
} from '@sealpost/protocol';
import { encodeVerifierKey, verifierKey } from '@sealpost/tlog';

export const DAY = 86_400_000;
export const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));
export const nonce = () => toBase64url(random(16));

export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

export interface TestOrganisation extends Disposable {
  readonly name: Organisation;
  readonly trust: Trust;
  readonly trustJws: string;
  readonly folder: string;
  readonly keys: KeyStore;
  readonly operator: Signer;
  readonly approver: Signer;
  readonly log: Signer;
  readonly receipts: Signer;
  /** A service certificate of this organisation, PEM. */
  service(name: string): Promise<TlsFiles>;
  approve<A extends ApprovalAction>(
    action: A,
    object: ApprovedObject<A>,
    now: number,
    change?: { expires?: number; signer?: Signer; organisation?: string },
  ): Promise<string>;
}

export async function createOrganisation(now: number, label = 'acme.example'): Promise<TestOrganisation> {
  const name = organisationSchema.parse(label);
  const folder = mkdtempSync(join(tmpdir(), 'sealpost-control-'));
  mkdirSync(join(folder, 'keys'));
  ensureKek(join(folder, 'kek'));
  const keys = openKeyStore({ folder: join(folder, 'keys'), kek_file: join(folder, 'kek') });
  const notBefore = Math.floor(now / 1000) * 1000 - DAY;
  const { signer: rootSigner } = await createSigningKey('ES256');
  const issue = (
    order: { subjectPublicKey: PublicJwk; uri: string; pathLength: number; self?: boolean },
    root?: Uint8Array,
  ) =>
    issueCertificate({
      subjectPublicKey: order.subjectPublicKey,
      uri: order.uri,
      usage: 'ca',
      notBefore,
      notAfter: notBefore + 1000 * DAY,
      serial: random(16),
      pathLength: order.pathLength,
      issuer: { signer: rootSigner, certificate: root ?? 'self' },
    });
  const root = await issue({ subjectPublicKey: rootSigner.publicJwk, uri: caUri(name, 'root'), pathLength: 1 });
  const deviceCa = await keys.createSigner('device-ca', 'ES256');
  const { signer: serviceCaSigner } = await createSigningKey('ES256');
  const deviceCaDer = await issue(
    { subjectPublicKey: deviceCa.publicJwk, uri: caUri(name, 'devices'), pathLength: 0 },
    root,
  );
  const serviceCaDer = await issue(
    { subjectPublicKey: serviceCaSigner.publicJwk, uri: caUri(name, 'services'), pathLength: 0 },
    root,
  );
  const [submit, witness] = [await keys.createSigner('submit', 'EdDSA'), await keys.createSigner('witness', 'EdDSA')];
  const [{ signer: operator }, { signer: approver }] = [
    await createSigningKey('EdDSA'),
    await createSigningKey('EdDSA'),
  ];
  const [{ signer: log }, { signer: receipts }] = [await createSigningKey('EdDSA'), await createSigningKey('EdDSA')];
  const { key: dispatch } = await createDispatchKey();
  const inbound = await createUnwrappingKey();
  keys.createSecret('inbound', new TextEncoder().encode(JSON.stringify(inbound.privateJwk)));
  const named = (signer: Signer) => ({ id: signer.keyId, jwk: signer.publicJwk });
  const raw = (signer: Signer) => new Uint8Array(Buffer.from(signer.publicJwk.x, 'base64url'));
  const trust = trustSchema.parse({
    v: 1,
    organisation: name,
    issued: now,
    root: toBase64url(root),
    deviceCa: toBase64url(deviceCaDer),
    serviceCa: toBase64url(serviceCaDer),
    operators: [named(operator)],
    approvers: [named(approver)],
    control: {
      submit: named(submit),
      witness: encodeVerifierKey(verifierKey(`${name}/control`, raw(witness), 'cosignature/v1')),
      inbound: { id: inbound.key.id, publicKey: inbound.key.publicKey },
    },
    gateway: {
      audience: `${name}/gateway`,
      receipts: named(receipts),
      log: encodeVerifierKey(verifierKey(`${name}/log`, raw(log))),
    },
    dispatch: { id: dispatch.id, publicKey: dispatch.publicKey },
  });
  const trustJws = await signJws(TRUST_TYPE, trust, rootSigner);
  writeFileSync(join(folder, 'trust.jws'), trustJws);
  writeFileSync(join(folder, 'root.pem'), pem('CERTIFICATE', root));
  return {
    name,
    trust,
    trustJws,
    folder,
    keys,
    operator,
    approver,
    log,
    receipts,
    async service(service) {
      const { signer, privateJwk } = await createSigningKey('ES256');
      // An agent's name cannot be issued by a service profile: the peer that is not a service has another kind of URI.
      const agent = service === 'agent';
      const certificate = await issueCertificate({
        subjectPublicKey: signer.publicJwk,
        uri: agent ? agentUri(name, 'impostor' as never) : serviceUri(name, service),
        usage: agent ? 'agent' : 'service',
        notBefore,
        notAfter: notBefore + 60 * DAY,
        serial: random(16),
        issuer: { signer: serviceCaSigner, certificate: serviceCaDer },
      });
      const key = createPrivateKey({ key: { ...privateJwk }, format: 'jwk' }).export({ type: 'pkcs8', format: 'pem' });
      return { cert: pem('CERTIFICATE', certificate) + pem('CERTIFICATE', serviceCaDer), key: String(key) };
    },
    async approve(action, object, issued, { expires = issued + 600_000, signer = approver, organisation = name } = {}) {
      const approval = approvalSchema.parse({
        v: 1,
        organisation,
        action,
        object: toBase64url(sha256(canonicalBytes(object))),
        approver: signer.keyId,
        issued,
        expires,
      });
      return signJws(APPROVAL_TYPE, approval, signer);
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export function pem(label: string, der: Uint8Array): string {
  const lines = Buffer.from(der).toString('base64').replace(/.{64}/g, '$&\n');
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}
