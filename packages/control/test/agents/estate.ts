/**
 * An organisation with a running gateway, for tests of what control sends: every key of the trust file, key folders for
 * both zones as bootstrap leaves them, two databases, and the real gateway on its own listeners.
 */
import { createPrivateKey, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDispatchKey, type DispatchKey } from '@sealpost/crypto/dispatch';
import { createSigningKey, issueCertificate, type Signer, signJws } from '@sealpost/crypto/signer';
import { caUri, serviceUri, sha256 } from '@sealpost/crypto/verify';
import {
  createLogger,
  ensureKek,
  type KeyStore,
  openKeyStore,
  type Surroundings,
  systemSurroundings,
} from '@sealpost/platform';
import {
  APPROVAL_TYPE,
  type ApprovalAction,
  type ApprovedObject,
  canonicalBytes,
  fromBase64url,
  newMessageId,
  organisationSchema,
  TRUST_TYPE,
  type Trust,
  toBase64url,
  trustSchema,
} from '@sealpost/protocol';
import { encodeVerifierKey, verifierKey } from '@sealpost/tlog';
import { type FreshDatabase, freshDatabase } from '../../../../test/support/postgres.ts';
import { type RunningGateway, startGateway } from '../../../gateway/src/app.ts';
import { gatewayConfigSchema } from '../../../gateway/src/config/config.ts';

const DAY = 86_400_000;
export const random = (length: number) => new Uint8Array(randomBytes(length));
export const nonce = () => toBase64url(random(16));

export interface Estate extends AsyncDisposable {
  readonly trust: Trust;
  readonly trustJws: string;
  readonly keys: KeyStore;
  readonly keyFolder: string;
  readonly operator: Signer;
  readonly approver: Signer;
  readonly dispatch: DispatchKey;
  /** Real time plus `offset`, which a test moves. */
  readonly clock: { offset: number };
  readonly surroundings: Surroundings;
  readonly control: FreshDatabase;
  readonly gatewayDatabase: FreshDatabase;
  readonly gateway: RunningGateway;
  readonly serviceTls: { readonly cert: string; readonly key: string };
  approve<A extends ApprovalAction>(action: A, object: ApprovedObject<A>): Promise<string>;
}

export async function createEstate(): Promise<Estate> {
  const clock = { offset: 0 };
  const now = () => Date.now() + clock.offset;
  const surroundings = { ...systemSurroundings(), now, messageId: () => newMessageId(now(), random(10)) };
  const name = organisationSchema.parse('acme.example');
  const folder = mkdtempSync(join(tmpdir(), 'sealpost-estate-'));
  const storeAt = (zone: string) => {
    mkdirSync(join(folder, zone));
    ensureKek(join(folder, `${zone}.kek`));
    return openKeyStore({ folder: join(folder, zone), kek_file: join(folder, `${zone}.kek`) });
  };
  const [keys, gatewayKeys] = [storeAt('control'), storeAt('gateway')];
  const start = Math.floor(now() / 1000) * 1000 - DAY;
  const { signer: root } = await createSigningKey('ES256');
  const { signer: serviceCa } = await createSigningKey('ES256');
  const deviceCa = await keys.createSigner('device-ca', 'ES256');
  const issue = (key: Signer, uri: string, issuer: Signer, certificate: Uint8Array | 'self', ca = true) =>
    issueCertificate({
      subjectPublicKey: key.publicJwk,
      uri,
      usage: ca ? 'ca' : 'service',
      notBefore: start,
      notAfter: start + (ca ? 1000 : 60) * DAY,
      serial: random(16),
      issuer: { signer: issuer, certificate },
    });
  const rootDer = await issue(root, caUri(name, 'root'), root, 'self');
  const serviceDer = await issue(serviceCa, caUri(name, 'services'), root, rootDer);
  const deviceDer = await issue(deviceCa, caUri(name, 'devices'), root, rootDer);
  const [submit, witness] = [await keys.createSigner('submit', 'EdDSA'), await keys.createSigner('witness', 'EdDSA')];
  const [receipts, log] = [
    await gatewayKeys.createSigner('receipts', 'EdDSA'),
    await gatewayKeys.createSigner('log', 'EdDSA'),
  ];
  const [{ signer: operator }, { signer: approver }] = [
    await createSigningKey('EdDSA'),
    await createSigningKey('EdDSA'),
  ];
  const { key: dispatch } = await createDispatchKey();
  const named = (signer: Signer) => ({ id: signer.keyId, jwk: signer.publicJwk });
  const raw = (signer: Signer) => fromBase64url(signer.publicJwk.x)!;
  const trust = trustSchema.parse({
    v: 1,
    organisation: name,
    issued: now(),
    root: toBase64url(rootDer),
    deviceCa: toBase64url(deviceDer),
    serviceCa: toBase64url(serviceDer),
    operators: [named(operator)],
    approvers: [named(approver)],
    control: {
      submit: named(submit),
      witness: encodeVerifierKey(verifierKey(`${name}/control`, raw(witness), 'cosignature/v1')),
    },
    gateway: {
      audience: `${name}/gateway`,
      receipts: named(receipts),
      log: encodeVerifierKey(verifierKey(`${name}/log`, raw(log))),
    },
    dispatch: { id: dispatch.id, publicKey: dispatch.publicKey },
  });
  const trustJws = await signJws(TRUST_TYPE, trust, root);
  const service = async (who: string) => {
    const { signer, privateJwk } = await createSigningKey('ES256');
    const certificate = await issue(signer, serviceUri(name, who), serviceCa, serviceDer, false);
    const key = createPrivateKey({ key: { ...privateJwk }, format: 'jwk' }).export({ type: 'pkcs8', format: 'pem' });
    return { cert: pem(certificate) + pem(serviceDer), key: String(key) };
  };
  const [control, gatewayDatabase] = [await freshDatabase(), await freshDatabase()];
  const at = (file: string, text: string) => {
    writeFileSync(join(folder, file), text);
    return join(folder, file);
  };
  const tls = await service('gateway');
  const { host, port, user, database, password } = gatewayDatabase.config;
  const config = gatewayConfigSchema.parse({
    organisation: name,
    data: join(folder, 'blobs'),
    database: { host, port, user, database, password_file: at('password', password), pool: 12 },
    listen: { device: { host: '127.0.0.1', port: 0 }, internal: { host: '127.0.0.1', port: 0 } },
    public_url: 'http://127.0.0.1:8082',
    trust_file: at('trust.jws', trustJws),
    root_file: at('root.pem', pem(rootDer)),
    tls: {
      cert_file: at('gateway.pem', tls.cert),
      key_file: at('gateway.key', tls.key),
      ca_file: at('ca.pem', pem(serviceDer) + pem(rootDer)),
    },
    keys: { folder: join(folder, 'gateway'), kek_file: join(folder, 'gateway.kek') },
  });
  const gateway = await startGateway(config, { logger: createLogger('gateway', 'error'), surroundings });
  return {
    trust,
    trustJws,
    keys,
    keyFolder: join(folder, 'control'),
    operator,
    approver,
    dispatch,
    clock,
    surroundings,
    control,
    gatewayDatabase,
    gateway,
    serviceTls: await service('control'),
    async approve(action, object) {
      const issued = now();
      const claims = {
        v: 1,
        organisation: name,
        action,
        object: toBase64url(sha256(canonicalBytes(object))),
        approver: approver.keyId,
      };
      return signJws(APPROVAL_TYPE, { ...claims, issued, expires: issued + 600_000 }, approver);
    },
    async [Symbol.asyncDispose]() {
      await gateway.stop();
      await control[Symbol.asyncDispose]();
      await gatewayDatabase[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function pem(der: Uint8Array): string {
  return `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
}
