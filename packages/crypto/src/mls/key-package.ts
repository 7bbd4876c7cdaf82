/**
 * Key packages (RFC 9420 section 10): how a device is added while it is away. Making one keeps the private part out of
 * the public message; reading one checks everything section 10.1 and 7.3 ask before anybody relies on it.
 */
import { concatBytes, equalBytes, type Timestamp } from '@sealpost/protocol';
import type { KeyPackage, PrivateKeyPackage } from 'ts-mls';
import { generateKeyPackageWithKey, makeKeyPackageRef, verifyKeyPackage } from 'ts-mls/keyPackage.js';
import type { LeafNode } from 'ts-mls/leafNode.js';
import { verifyLeafNodeSignatureKeyPackage } from 'ts-mls/leafNode.js';
import { encodeMlsMessage } from 'ts-mls/message.js';
import { decodeKeyPackageMessage } from './codec.ts';
import { signatureKey, signingAs, signingHandle } from './create-suite.ts';
import { type CredentialCheck, MAX_LIFETIME_SECONDS, withinLifetime } from './credential.ts';
import { certificateKey } from './der.ts';
import type { KeyPackageBundle, MlsIdentity, VerifiedCredential } from './engine.ts';
import { mlsError } from './mls-errors.ts';
import type { MlsCrypto } from './suite.ts';

/** draft-ietf-mls-extensions, last_resort: a package that may be used more than once when the pool is empty. */
const LAST_RESORT = 0x000a;
const SECRET_VERSION = 1;
const KEY_LENGTH = 32;

export interface Lifetime {
  readonly notBefore: Timestamp;
  readonly notAfter: Timestamp;
}

export interface OwnKeyPackage {
  readonly keyPackage: KeyPackage;
  readonly secrets: PrivateKeyPackage;
}

export async function makeKeyPackage(
  crypto: MlsCrypto,
  identity: MlsIdentity,
  lifetime: Lifetime,
  lastResort: boolean,
): Promise<OwnKeyPackage> {
  const notBefore = Math.floor(lifetime.notBefore / 1000);
  const notAfter = Math.floor(lifetime.notAfter / 1000);
  if (notBefore > notAfter || notAfter - notBefore > MAX_LIFETIME_SECONDS) throw mlsError('ERR_MLS_LIFETIME');
  const { publicPackage, privatePackage } = await generateKeyPackageWithKey(
    { credentialType: 'x509', certificates: [...identity.chain] },
    {
      versions: ['mls10'],
      ciphersuites: [crypto.name],
      extensions: [LAST_RESORT],
      proposals: [],
      credentials: ['x509'],
    },
    { notBefore: BigInt(notBefore), notAfter: BigInt(notAfter) },
    lastResort ? [{ extensionType: LAST_RESORT, extensionData: new Uint8Array() }] : [],
    { signKey: signingHandle(identity.signer), publicKey: ownSignatureKey(identity) },
    signingAs(crypto, identity.signer),
  );
  return { keyPackage: publicPackage, secrets: privatePackage };
}

const signatureKeys = new WeakMap<MlsIdentity, Uint8Array>();

/** The identity's public signature key; throws when its certificate certifies another. Asked for each message. */
export function ownSignatureKey(identity: MlsIdentity): Uint8Array {
  const known = signatureKeys.get(identity) ?? certifiedKey(identity);
  signatureKeys.set(identity, known);
  return known;
}

function certifiedKey(identity: MlsIdentity): Uint8Array {
  const key = signatureKey(identity.signer.publicJwk);
  const [leaf] = identity.chain;
  const certified = leaf === undefined ? undefined : certificateKey(leaf);
  if (certified === undefined || !equalBytes(certified, key)) throw mlsError('ERR_MLS_IDENTITY');
  return key;
}

export async function toBundle(crypto: MlsCrypto, own: OwnKeyPackage): Promise<KeyPackageBundle> {
  const { keyPackage, secrets } = own;
  return {
    keyPackage: encodeMlsMessage({ version: 'mls10', wireformat: 'mls_key_package', keyPackage }),
    reference: await makeKeyPackageRef(keyPackage, crypto.hash),
    secret: concatBytes(Uint8Array.of(SECRET_VERSION), secrets.initPrivateKey, secrets.hpkePrivateKey),
  };
}

/** `undefined` for a bundle that is not ours to read: another version, other lengths. */
export function fromBundle(bundle: KeyPackageBundle): OwnKeyPackage | undefined {
  const keyPackage = decodeKeyPackageMessage(bundle.keyPackage);
  const { secret } = bundle;
  if (keyPackage === undefined || secret[0] !== SECRET_VERSION || secret.length !== 1 + 2 * KEY_LENGTH)
    return undefined;
  return {
    keyPackage,
    secrets: {
      initPrivateKey: secret.slice(1, 1 + KEY_LENGTH),
      hpkePrivateKey: secret.slice(1 + KEY_LENGTH),
      signaturePrivateKey: new Uint8Array(),
    },
  };
}

export interface ReadKeyPackage {
  readonly keyPackage: KeyPackage;
  readonly credential: VerifiedCredential;
}

/** Somebody else's key package, verified (RFC 9420 section 10.1), or `undefined`. */
export async function readKeyPackage(
  crypto: MlsCrypto,
  check: CredentialCheck,
  bytes: Uint8Array,
  now: Timestamp,
): Promise<ReadKeyPackage | undefined> {
  const keyPackage = decodeKeyPackageMessage(bytes);
  if (keyPackage === undefined || !speaksOurSuite(crypto, keyPackage)) return undefined;
  const { leafNode } = keyPackage;
  if (!withinLifetime(leafNode, now) || equalBytes(keyPackage.initKey, leafNode.hpkePublicKey)) return undefined;
  const signed =
    (await verifyKeyPackage(keyPackage, crypto.signature)) &&
    (await verifyLeafNodeSignatureKeyPackage(leafNode, crypto.signature));
  if (!signed) return undefined;
  const credential = await check.verified(leafNode.credential, leafNode.signaturePublicKey);
  return credential === undefined ? undefined : { keyPackage, credential };
}

function speaksOurSuite(crypto: MlsCrypto, keyPackage: KeyPackage): boolean {
  return (
    keyPackage.version === 'mls10' && keyPackage.cipherSuite === crypto.name && speaks(crypto, keyPackage.leafNode)
  );
}

/** RFC 9420 section 7.3: the leaf can follow this group's version, suite and credential type. */
export function speaks(crypto: MlsCrypto, leaf: LeafNode): boolean {
  const { versions, ciphersuites, credentials } = leaf.capabilities;
  return versions.includes('mls10') && ciphersuites.includes(crypto.name) && credentials.includes('x509');
}
