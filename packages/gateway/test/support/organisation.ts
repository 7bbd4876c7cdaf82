/**
 * An organisation for tests: every key of the trust file with its private half at hand, certificates for services, and the
 * trust file itself, signed by a root made on the spot.
 */
import { createPrivateKey, randomBytes } from 'node:crypto';
import { createDispatchKey } from '@sealpost/crypto/dispatch';
import { createSigningKey, issueCertificate, type PrivateJwk, type Signer, signJws } from '@sealpost/crypto/signer';
import { caUri, serviceUri } from '@sealpost/crypto/verify';
import {
  fromBase64url,
  organisationSchema,
  TRUST_TYPE,
  type Trust,
  toBase64url,
  trustSchema,
} from '@sealpost/protocol';
import { encodeVerifierKey, type NoteSigner, type VerifierKey, verifierKey } from '@sealpost/tlog';

export const ORIGIN = 'gateway.acme.example/log';
const DAY = 86_400_000;

export interface Key {
  readonly signer: Signer;
  readonly privateJwk: PrivateJwk;
}

export interface Credentials {
  readonly cert: string;
  readonly key: string;
}

export interface Organisation {
  readonly trust: Trust;
  /** The trust file's JWS. */
  readonly trustFile: string;
  readonly rootPem: string;
  /** Service CA and root, PEM. */
  readonly caPem: string;
  readonly keys: Record<'operator' | 'approver' | 'submit' | 'receipts' | 'log' | 'witness' | 'deviceCa', Key>;
  readonly logSigner: NoteSigner;
  readonly logKey: VerifierKey;
  readonly witnessSigner: NoteSigner;
  readonly witnessKey: VerifierKey;
  /** A certificate for TLS: of the service CA unless `issuer` says another. */
  credentials(name: string, issuer?: 'serviceCa' | 'stranger'): Promise<Credentials>;
}

export async function createOrganisation(now = Date.now()): Promise<Organisation> {
  const organisation = organisationSchema.parse('acme.example');
  const ed = () => createSigningKey('EdDSA');
  const [root, serviceCa, deviceCa] = await Promise.all([
    createSigningKey('ES256'),
    createSigningKey('ES256'),
    createSigningKey('ES256'),
  ]);
  const [operator, approver, submit, receipts, log, witness] = await Promise.all([ed(), ed(), ed(), ed(), ed(), ed()]);
  const start = now - (now % 1000) - DAY;
  const ca = async (key: Key, name: string, issuer: Key, certificate: Uint8Array | 'self') =>
    issueCertificate({
      subjectPublicKey: key.signer.publicJwk,
      uri: caUri(organisation, name),
      usage: 'ca',
      notBefore: start,
      notAfter: start + (certificate === 'self' ? 2000 : 1000) * DAY,
      serial: new Uint8Array(randomBytes(16)),
      issuer: { signer: issuer.signer, certificate },
    });
  const rootDer = await ca(root, 'root', root, 'self');
  const serviceDer = await ca(serviceCa, 'services', root, rootDer);
  const deviceDer = await ca(deviceCa, 'devices', root, rootDer);
  const dispatch = (await createDispatchKey()).key;
  const named = ({ signer }: Key) => ({ id: signer.keyId, jwk: signer.publicJwk });
  const [logKey, witnessKey] = [
    verifierKey(ORIGIN, raw(log)),
    verifierKey('control.acme.example/witness', raw(witness), 'cosignature/v1'),
  ];
  const trust = trustSchema.parse({
    v: 1,
    organisation,
    issued: now,
    root: toBase64url(rootDer),
    deviceCa: toBase64url(deviceDer),
    serviceCa: toBase64url(serviceDer),
    operators: [named(operator)],
    approvers: [named(approver)],
    control: { submit: named(submit), witness: encodeVerifierKey(witnessKey) },
    gateway: { audience: 'gateway.acme.example', receipts: named(receipts), log: encodeVerifierKey(logKey) },
    dispatch: { id: dispatch.id, publicKey: dispatch.publicKey },
  });
  return {
    trust,
    trustFile: await signJws(TRUST_TYPE, trust, root.signer),
    rootPem: pem('CERTIFICATE', rootDer),
    caPem: pem('CERTIFICATE', serviceDer) + pem('CERTIFICATE', rootDer),
    keys: { operator, approver, submit, receipts, log, witness, deviceCa },
    logSigner: noteSigner(ORIGIN, log),
    logKey,
    witnessSigner: noteSigner(witnessKey.name, witness),
    witnessKey,
    async credentials(name, issuer = 'serviceCa') {
      const [key, stranger] = await Promise.all([createSigningKey('ES256'), createSigningKey('ES256')]);
      const strangerDer = await ca(stranger, 'others', stranger, 'self');
      const certificate = await issueCertificate({
        subjectPublicKey: key.signer.publicJwk,
        uri: serviceUri(organisation, name),
        dns: ['localhost'],
        usage: 'service',
        notBefore: start,
        notAfter: start + 30 * DAY,
        serial: new Uint8Array(randomBytes(16)),
        issuer:
          issuer === 'serviceCa'
            ? { signer: serviceCa.signer, certificate: serviceDer }
            : { signer: stranger.signer, certificate: strangerDer },
      });
      const chain = pem('CERTIFICATE', certificate) + (issuer === 'serviceCa' ? pem('CERTIFICATE', serviceDer) : '');
      return { cert: chain, key: privatePem(key.privateJwk) };
    },
  };
}

function noteSigner(name: string, key: Key): NoteSigner {
  return { name, publicKey: raw(key), sign: (bytes) => key.signer.sign(bytes) };
}

function raw({ signer }: Key): Uint8Array {
  return fromBase64url(signer.publicJwk.x)!;
}

function privatePem(jwk: PrivateJwk): string {
  return createPrivateKey({ key: { ...jwk }, format: 'jwk' })
    .export({ type: 'pkcs8', format: 'pem' })
    .toString();
}

function pem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
