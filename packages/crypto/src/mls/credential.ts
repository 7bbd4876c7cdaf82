/**
 * The authentication service (RFC 9420 section 5.3.1): every leaf names itself by an X.509 chain that `VerifyCredential`
 * accepts, and signs with exactly the key its certificate certifies. There is no accept-all and no basic credential.
 */
import { equalBytes, type Timestamp } from '@sealpost/protocol';
import type { ClientConfig, Credential } from 'ts-mls';
import { defaultKeyPackageEqualityConfig } from 'ts-mls/keyPackageEqualityConfig.js';
import type { LeafNode } from 'ts-mls/leafNode.js';
import { defaultPaddingConfig } from 'ts-mls/paddingConfig.js';
import { certificateKey } from './der.ts';
import type { VerifiedCredential, VerifyCredential } from './engine.ts';

/** RFC 9420 section 7.2 asks applications to bound a leaf's total lifetime; an hour is spare for clocks. */
export const MAX_LIFETIME_SECONDS = 90 * 86_400 + 3_600;

/** How long consumed-message keys stay for late messages: two epochs, 16 skipped messages of each sender. */
const KEY_RETENTION = { retainKeysForGenerations: 16, retainKeysForEpochs: 2, maximumForwardRatchetSteps: 1000 };

/** Credential checks of one operation at one time, each credential asked about once. */
export interface CredentialCheck {
  /** For ts-mls. Lifetimes are checked by us, because the library reads the wall clock. */
  readonly config: ClientConfig;
  /** `undefined` when this credential must not be in a group. Throws what `VerifyCredential` throws. */
  verified(credential: Credential, signatureKey: Uint8Array): Promise<VerifiedCredential | undefined>;
  /** True once a credential was refused: tells a refusal from another reason inside ts-mls. */
  refused(): boolean;
  /** Throws again what `VerifyCredential` threw, so that a broken dependency never looks like a bad peer. */
  rethrow(): void;
}

export function checkCredentials(verify: VerifyCredential, now: Timestamp): CredentialCheck {
  const asked = new Map<Credential, Promise<VerifiedCredential | undefined>>();
  let refused = false;
  let broken: { readonly cause: unknown } | undefined;

  async function ask(credential: Credential, signatureKey: Uint8Array): Promise<VerifiedCredential | undefined> {
    if (!certifies(credential, signatureKey)) return undefined;
    try {
      return await verify(chainOf(credential), now);
    } catch (cause) {
      broken = { cause };
      throw cause;
    }
  }

  async function verified(credential: Credential, signatureKey: Uint8Array): Promise<VerifiedCredential | undefined> {
    const answer = asked.get(credential) ?? ask(credential, signatureKey);
    asked.set(credential, answer);
    const found = await answer;
    if (found === undefined) refused = true;
    return found;
  }

  const authService = {
    validateCredential: async (credential: Credential, key: Uint8Array) =>
      (await verified(credential, key)) !== undefined,
  };
  return {
    config: lockedConfig(authService),
    verified,
    refused: () => refused,
    rethrow: () => {
      if (broken !== undefined) throw broken.cause;
    },
  };
}

/** The configuration of a state at rest: it refuses everybody until an operation brings its own check. */
export const RESTING_CONFIG: ClientConfig = lockedConfig({ validateCredential: async () => false });

function lockedConfig(authService: ClientConfig['authService']): ClientConfig {
  return {
    authService,
    keyRetentionConfig: KEY_RETENTION,
    lifetimeConfig: { maximumTotalLifetime: BigInt(MAX_LIFETIME_SECONDS), validateLifetimeOnReceive: false },
    keyPackageEqualityConfig: defaultKeyPackageEqualityConfig,
    paddingConfig: defaultPaddingConfig,
  };
}

/** Certificates, leaf first (RFC 9420 section 5.3); none for another kind of credential. */
export function chainOf(credential: Credential): readonly Uint8Array[] {
  return credential.credentialType === 'x509' ? credential.certificates : [];
}

function certifies(credential: Credential, signatureKey: Uint8Array): boolean {
  const [leaf] = chainOf(credential);
  const key = leaf === undefined ? undefined : certificateKey(leaf);
  return key !== undefined && equalBytes(key, signatureKey);
}

export function sameChain(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  return a.length === b.length && a.every((certificate, at) => equalBytes(certificate, b[at] ?? new Uint8Array()));
}

/** RFC 9420 section 7.3: a leaf from a key package is used only within its lifetime, and lives 90 days at most. */
export function withinLifetime(leaf: LeafNode, now: Timestamp): boolean {
  if (leaf.leafNodeSource !== 'key_package') return true;
  const { notBefore, notAfter } = leaf.lifetime;
  const seconds = BigInt(Math.floor(now / 1000));
  return notBefore <= seconds && seconds <= notAfter && notAfter - notBefore <= BigInt(MAX_LIFETIME_SECONDS);
}
