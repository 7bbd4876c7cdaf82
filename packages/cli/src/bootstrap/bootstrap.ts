/**
 * The operator's ceremony: makes the organisation's root, the authorities below it, a certificate for each service and
 * the operator's and approver's own keys, then hands every zone only what is its own. What signs for the organisation
 * stays in the operator's folder, outside every server's data directory.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createDispatchKey } from '@sealpost/crypto/dispatch';
import { createUnwrappingKey } from '@sealpost/crypto/open';
import { createSigningKey, issueCertificate, type PublicJwk, type Signer, signJws } from '@sealpost/crypto/signer';
import { caUri, serviceUri, verifyTrust } from '@sealpost/crypto/verify';
import { ensureKek, type KeyStore, openKeyStore, type Surroundings, writeDurably } from '@sealpost/platform';
import {
  type ErrorTable,
  errorsOf,
  type Organisation,
  organisationSchema,
  TRUST_TYPE,
  type Trust,
  toBase64url,
  utf8,
} from '@sealpost/protocol';
import { encodeVerifierKey, type NoteAlgorithm, verifierKey } from '@sealpost/tlog';

const BOOTSTRAP_ERRORS = {
  ERR_BOOTSTRAP_EXISTS: {
    kind: 'conflict',
    sentence: 'This operator folder already holds an organisation.',
    hint: 'Use it as it is, or choose another folder with --operator; nothing was changed.',
  },
  ERR_BOOTSTRAP_INCOMPLETE: {
    kind: 'integrity',
    sentence: 'An earlier bootstrap did not finish, or a file of it is gone.',
    hint: 'Restore the folder from backup; if nothing was ever enrolled with it, remove it and bootstrap again.',
  },
  ERR_BOOTSTRAP_KEYS: {
    kind: 'conflict',
    sentence: 'A folder this ceremony would fill holds keys already.',
    hint: 'Name the operator folder they belong to, or choose empty folders; keys are never overwritten.',
  },
  ERR_BOOTSTRAP_ORGANISATION: {
    kind: 'invalid',
    sentence: 'The organisation needs a domain name.',
    hint: 'Give --organisation with one, for example acme.example: lower case, no port and no path.',
  },
} as const satisfies ErrorTable;
const bootstrapError = errorsOf(BOOTSTRAP_ERRORS);

const DAY = 86_400_000;
/** RCC.16's limits: a root of ten years, an authority of five, a leaf of 76 days; leaves are renewed in good time. */
const LIFETIMES = { root: 3650 * DAY, authority: 1825 * DAY, service: 75 * DAY } as const;

export const ZONES = ['control', 'gateway', 'dispatcher'] as const;
export type Zone = (typeof ZONES)[number];

export interface BootstrapFolders {
  readonly operator: string;
  readonly zones: Readonly<Record<Zone, string>>;
}

export interface Bootstrapped {
  readonly trust: Trust;
  readonly trustJws: string;
  /** SHA-256 of the root certificate, for people to compare. */
  readonly rootFingerprint: string;
}

/** Whether the ceremony has been carried out in this operator folder. */
export function isBootstrapped(folders: BootstrapFolders): boolean {
  return existsSync(join(folders.operator, 'trust.jws'));
}

/**
 * The folder whose trust file stands for the organisation here: the operator's, or, once that has been moved away as
 * it should be, control's own copy. `undefined` when no ceremony has been finished.
 */
export function trustFolder(folders: BootstrapFolders): string | undefined {
  if (isBootstrapped(folders)) return folders.operator;
  const handedOut = ZONES.every((zone) => existsSync(join(folders.zones[zone], 'trust.jws')));
  return handedOut && keysIn(folders.operator).length === 0 ? folders.zones.control : undefined;
}

/** Reads what an earlier ceremony made. Throws ERR_BOOTSTRAP_INCOMPLETE when it does not verify. */
export async function readBootstrapped(operator: string): Promise<Bootstrapped> {
  try {
    const trustJws = readFileSync(join(operator, 'trust.jws'), 'utf8');
    const root = new X509Certificate(readFileSync(join(operator, 'root.pem')));
    const verdict = await verifyTrust(trustJws, new Uint8Array(root.raw));
    if (verdict.kind === 'ok') return { trust: verdict.trust, trustJws, rootFingerprint: root.fingerprint256 };
  } catch (cause) {
    throw bootstrapError('ERR_BOOTSTRAP_INCOMPLETE', { cause });
  }
  throw bootstrapError('ERR_BOOTSTRAP_INCOMPLETE');
}

export async function bootstrap(
  organisation: string,
  folders: BootstrapFolders,
  surroundings: Surroundings,
): Promise<Bootstrapped> {
  if (isBootstrapped(folders)) throw bootstrapError('ERR_BOOTSTRAP_EXISTS');
  const { data: name } = organisationSchema.safeParse(organisation);
  if (name === undefined) throw bootstrapError('ERR_BOOTSTRAP_ORGANISATION');
  beginCeremony(folders);
  const operator = openStore(folders.operator);
  const authorities = await makeAuthorities(name, operator, openStore(folders.zones.control), surroundings);
  const keys = await makeKeys(name, operator, folders);
  const trust: Trust = {
    v: 1,
    organisation: name,
    issued: surroundings.now(),
    root: toBase64url(authorities.root.certificate),
    deviceCa: toBase64url(authorities.deviceCa),
    serviceCa: toBase64url(authorities.serviceCa.certificate),
    ...keys,
  };
  const trustJws = await signJws(TRUST_TYPE, trust, authorities.root.signer);
  const rootPem = pem('CERTIFICATE', authorities.root.certificate);
  for (const zone of ZONES) {
    const folder = folders.zones[zone];
    await makeServiceCertificate(name, zone, folder, authorities, surroundings);
    writeDurably(join(folder, 'root.pem'), utf8(rootPem));
    writeDurably(join(folder, 'trust.jws'), utf8(trustJws));
  }
  writeDurably(join(folders.operator, 'root.pem'), utf8(rootPem));
  // Its presence says the ceremony is complete.
  writeDurably(join(folders.operator, 'trust.jws'), utf8(trustJws));
  rmSync(join(folders.operator, UNFINISHED), { force: true });
  return readBootstrapped(folders.operator);
}

/** Names the zones' folders while a ceremony is under way. */
const UNFINISHED = 'unfinished.json';

/**
 * Refuses folders that hold keys, unless they are what a ceremony cut short by a crash left in these very folders:
 * nothing can have been enrolled with those, so they go.
 */
function beginCeremony({ operator, zones }: BootstrapFolders): void {
  const mark = join(operator, UNFINISHED);
  const all = [operator, ...ZONES.map((zone) => zones[zone])];
  const begun = JSON.stringify(all);
  if (existsSync(mark) && readFileSync(mark, 'utf8') === begun) {
    for (const folder of all) rmSync(join(folder, 'keys'), { recursive: true, force: true });
  }
  const taken = all.filter((folder) => keysIn(folder).length > 0);
  if (taken.length > 0)
    throw bootstrapError('ERR_BOOTSTRAP_KEYS', {
      details: taken.map((pointer) => ({ pointer, detail: 'holds keys' })),
    });
  writeDurably(mark, utf8(begun));
}

function keysIn(folder: string): string[] {
  const keys = join(folder, 'keys');
  return existsSync(keys) ? readdirSync(keys) : [];
}

/** Renewed once less than this is left; also by each `sealpost start` that finds the operator's folder. */
const RENEW_BELOW = 30 * DAY;

/** Issues new certificates to the services whose current one runs out soon; answers which. */
export async function renewServiceCertificates(folders: BootstrapFolders, surroundings: Surroundings): Promise<Zone[]> {
  const { trust } = await readBootstrapped(folders.operator);
  const store = openStore(folders.operator);
  const decode = (text: string) => new Uint8Array(Buffer.from(text, 'base64url'));
  const authorities = {
    root: { signer: await store.signer('root'), certificate: decode(trust.root) },
    serviceCa: { signer: await store.signer('service-ca'), certificate: decode(trust.serviceCa) },
  };
  const due = ZONES.filter((zone) => {
    const { validTo } = new X509Certificate(readFileSync(join(folders.zones[zone], 'tls', 'cert.pem')));
    return Date.parse(validTo) - surroundings.now() < RENEW_BELOW;
  });
  for (const zone of due)
    await makeServiceCertificate(trust.organisation, zone, folders.zones[zone], authorities, surroundings);
  return due;
}

/** The folder's own key store, with a KEK beside it unless the operator put one elsewhere before. */
export function openStore(folder: string): KeyStore {
  mkdirSync(join(folder, 'keys'), { recursive: true, mode: 0o700 });
  const kek = join(folder, 'kek');
  ensureKek(kek);
  return openKeyStore({ folder: join(folder, 'keys'), kek_file: kek });
}

interface Authority {
  readonly signer: Signer;
  readonly certificate: Uint8Array;
}

async function makeAuthorities(
  organisation: Organisation,
  operator: KeyStore,
  control: KeyStore,
  { now, random }: Surroundings,
) {
  const notBefore = now() - 60_000;
  const rootSigner = await operator.createSigner('root', 'ES256');
  const rootCertificate = await issueCertificate({
    subjectPublicKey: rootSigner.publicJwk,
    uri: caUri(organisation, 'root'),
    usage: 'ca',
    notBefore,
    notAfter: notBefore + LIFETIMES.root,
    serial: random(16),
    pathLength: 1,
    issuer: { signer: rootSigner, certificate: 'self' },
  });
  const root: Authority = { signer: rootSigner, certificate: rootCertificate };
  const below = async (name: string, publicJwk: PublicJwk) =>
    issueCertificate({
      subjectPublicKey: publicJwk,
      uri: caUri(organisation, name),
      usage: 'ca',
      notBefore,
      notAfter: notBefore + LIFETIMES.authority,
      serial: random(16),
      pathLength: 0,
      issuer: root,
    });
  const deviceCa = await below('devices', (await control.createSigner('device-ca', 'ES256')).publicJwk);
  const serviceSigner = await operator.createSigner('service-ca', 'ES256');
  return {
    root,
    deviceCa,
    serviceCa: { signer: serviceSigner, certificate: await below('services', serviceSigner.publicJwk) },
  };
}

async function makeKeys(
  organisation: Organisation,
  operator: KeyStore,
  folders: BootstrapFolders,
): Promise<Pick<Trust, 'operators' | 'approvers' | 'control' | 'gateway' | 'dispatch'>> {
  const [control, gateway, dispatcher] = [
    openStore(folders.zones.control),
    openStore(folders.zones.gateway),
    openStore(folders.zones.dispatcher),
  ];
  const dispatch = await createDispatchKey();
  dispatcher.createSecret('dispatch', utf8(JSON.stringify(dispatch.privateJwk)));
  const inbound = await createUnwrappingKey();
  control.createSecret('inbound', utf8(JSON.stringify(inbound.privateJwk)));
  const noteKey = async (store: KeyStore, key: string, name: string, algorithm: NoteAlgorithm) =>
    encodeVerifierKey(verifierKey(name, rawEd25519((await store.createSigner(key, 'EdDSA')).publicJwk), algorithm));
  return {
    operators: [named(await operator.createSigner('operator', 'EdDSA'))],
    approvers: [named(await operator.createSigner('approver', 'EdDSA'))],
    control: {
      submit: named(await control.createSigner('submit', 'EdDSA')),
      witness: await noteKey(control, 'witness', `${organisation}/control`, 'cosignature/v1'),
      inbound: { id: inbound.key.id, publicKey: inbound.key.publicKey },
    },
    gateway: {
      audience: `${organisation}/gateway`,
      receipts: named(await gateway.createSigner('receipts', 'EdDSA')),
      log: await noteKey(gateway, 'log', `${organisation}/log`, 'ed25519'),
    },
    dispatch: { id: dispatch.key.id, publicKey: dispatch.key.publicKey },
  };
}

async function makeServiceCertificate(
  organisation: Organisation,
  zone: Zone,
  folder: string,
  { serviceCa, root }: { serviceCa: Authority; root: Authority },
  { now, random }: Surroundings,
) {
  const { signer, privateJwk } = await createSigningKey('ES256');
  const notBefore = now() - 60_000;
  const certificate = await issueCertificate({
    subjectPublicKey: signer.publicJwk,
    uri: serviceUri(organisation, zone),
    dns: ['localhost'],
    usage: 'service',
    notBefore,
    notAfter: notBefore + LIFETIMES.service,
    serial: random(16),
    issuer: serviceCa,
  });
  const key = createPrivateKey({ key: { ...privateJwk }, format: 'jwk' }).export({ type: 'pkcs8', format: 'pem' });
  writeDurably(join(folder, 'tls', 'key.pem'), utf8(String(key)));
  writeDurably(
    join(folder, 'tls', 'cert.pem'),
    utf8(pem('CERTIFICATE', certificate) + pem('CERTIFICATE', serviceCa.certificate)),
  );
  writeDurably(
    join(folder, 'tls', 'ca.pem'),
    utf8(pem('CERTIFICATE', serviceCa.certificate) + pem('CERTIFICATE', root.certificate)),
  );
}

function named(signer: Signer): Trust['operators'][number] {
  if (signer.publicJwk.kty !== 'OKP') throw new TypeError('a named key of the trust file is an Ed25519 key');
  return { id: signer.keyId, jwk: { crv: signer.publicJwk.crv, kty: signer.publicJwk.kty, x: signer.publicJwk.x } };
}

function rawEd25519(jwk: PublicJwk): Uint8Array {
  return new Uint8Array(Buffer.from(jwk.x, 'base64url'));
}

function pem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
