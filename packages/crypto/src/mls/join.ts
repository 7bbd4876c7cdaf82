/**
 * Joining by Welcome (RFC 9420 section 12.4.3.1), step by step: find our key package, open the secrets, believe the
 * GroupInfo only after its signer, tree and confirmation tag have been checked, then derive the epoch.
 */
import { equalBytes, type Timestamp } from '@sealpost/protocol';
import { extensionsSupportedByCapabilities } from 'ts-mls/extension.js';
import {
  type GroupInfo,
  ratchetTreeFromExtension,
  verifyGroupInfoConfirmationTag,
  verifyGroupInfoSignature,
} from 'ts-mls/groupInfo.js';
import type { GroupSecrets } from 'ts-mls/groupSecrets.js';
import { makeKeyPackageRef } from 'ts-mls/keyPackage.js';
import { deriveKeySchedule } from 'ts-mls/keySchedule.js';
import { pathToRoot } from 'ts-mls/pathSecrets.js';
import { mergePrivateKeyPaths, type PrivateKeyPath, toPrivateKeyPath } from 'ts-mls/privateKeyPath.js';
import { findLeafIndex, getHpkePublicKey, type RatchetTree } from 'ts-mls/ratchetTree.js';
import { createSecretTree } from 'ts-mls/secretTree.js';
import { type LeafIndex, leafToNodeIndex, leafWidth, toLeafIndex } from 'ts-mls/treemath.js';
import { firstCommonAncestor } from 'ts-mls/updatePath.js';
import { decryptGroupInfo, decryptGroupSecrets, type Welcome } from 'ts-mls/welcome.js';
import { decodeTree, decodeWelcomeMessage } from './codec.ts';
import { signingHandle } from './create-suite.ts';
import { checkCredentials, RESTING_CONFIG } from './credential.ts';
import type { GroupState, KeyPackageBundle, MlsIdentity, VerifyCredential } from './engine.ts';
import { fromBundle, type OwnKeyPackage, ownSignatureKey } from './key-package.ts';
import { mlsError } from './mls-errors.ts';
import { conversationOf, leafAt, seal } from './state.ts';
import type { MlsCrypto } from './suite.ts';
import { verifyTree } from './tree-check.ts';

interface Joined {
  readonly state: GroupState;
  /** Reference of the key package that was used; the caller deletes its secret. */
  readonly used: Uint8Array;
}

export async function join(
  crypto: MlsCrypto,
  verify: VerifyCredential,
  message: Uint8Array,
  ratchetTree: Uint8Array,
  bundles: readonly KeyPackageBundle[],
  identity: MlsIdentity,
  now: Timestamp,
): Promise<Joined | undefined> {
  const welcome = decodeWelcomeMessage(message);
  if (welcome === undefined || welcome.cipherSuite !== crypto.name) throw mlsError('ERR_MLS_WELCOME');
  const invited = await findInvited(crypto, welcome, bundles);
  if (invited === undefined) return undefined;
  const { own, reference } = invited;
  if (!equalBytes(ownSignatureKey(identity), own.keyPackage.leafNode.signaturePublicKey))
    throw mlsError('ERR_MLS_IDENTITY');

  const secrets = await openSecrets(crypto, welcome, own, reference);
  const psk = new Uint8Array(crypto.kdf.size);
  const info = await openGroupInfo(crypto, welcome, secrets, psk, own);
  const tree = (ratchetTree.length === 0 ? ratchetTreeFromExtension(info) : decodeTree(ratchetTree)) ?? unsound();
  const signer = leafAt(tree, info.signer) ?? unsound();
  const names = await verifyTree(crypto, checkCredentials(verify, now), tree, info.groupContext, now);
  if (!(await verifyGroupInfoSignature(info, signer.signaturePublicKey, crypto.signature))) unsound();
  if (!(await verifyGroupInfoConfirmationTag(info, secrets.joinerSecret, psk, crypto))) unsound();
  const leaf = findLeafIndex(tree, own.keyPackage.leafNode) ?? unsound();

  const privatePath = await privateKeys(crypto, tree, leaf, toLeafIndex(info.signer), secrets, own);
  const [keySchedule, encryptionSecret] = await deriveKeySchedule(
    secrets.joinerSecret,
    psk,
    info.groupContext,
    crypto.kdf,
  );
  const secretTree = await createSecretTree(leafWidth(tree.length), encryptionSecret, crypto.kdf);
  for (const secret of [encryptionSecret, secrets.joinerSecret]) secret.fill(0);
  const client = {
    groupContext: info.groupContext,
    ratchetTree: tree,
    privatePath,
    signaturePrivateKey: signingHandle(identity.signer),
    confirmationTag: info.confirmationTag,
    unappliedProposals: {},
    keySchedule,
    secretTree,
    historicalReceiverData: new Map(),
    groupActiveState: { kind: 'active' as const },
    clientConfig: RESTING_CONFIG,
  };
  return { state: seal({ client, names }), used: reference };
}

async function findInvited(crypto: MlsCrypto, welcome: Welcome, bundles: readonly KeyPackageBundle[]) {
  for (const bundle of bundles) {
    const own = fromBundle(bundle);
    if (own === undefined) continue;
    const reference = await makeKeyPackageRef(own.keyPackage, crypto.hash);
    if (welcome.secrets.some(({ newMember }) => equalBytes(newMember, reference))) return { own, reference };
  }
  return undefined;
}

async function openSecrets(
  crypto: MlsCrypto,
  welcome: Welcome,
  own: OwnKeyPackage,
  reference: Uint8Array,
): Promise<GroupSecrets> {
  const key = await crypto.hpke.importPrivateKey(own.secrets.initPrivateKey);
  const secrets = await orUnsound(() => decryptGroupSecrets(key, reference, welcome, crypto.hpke));
  // This engine makes no pre-shared keys, so a welcome that needs one is not for it.
  return secrets.psks.length > 0 ? unsound() : secrets;
}

async function openGroupInfo(
  crypto: MlsCrypto,
  welcome: Welcome,
  secrets: GroupSecrets,
  psk: Uint8Array,
  own: OwnKeyPackage,
): Promise<GroupInfo> {
  const info = await orUnsound(() => decryptGroupInfo(welcome, secrets.joinerSecret, psk, crypto));
  const { groupContext } = info;
  const fits =
    groupContext.version === 'mls10' &&
    groupContext.cipherSuite === crypto.name &&
    conversationOf(groupContext.groupId) !== undefined &&
    extensionsSupportedByCapabilities(groupContext.extensions, own.keyPackage.leafNode.capabilities);
  return fits ? info : unsound();
}

/** Our leaf key and the keys of the path secret, each compared with the tree (RFC 9420 section 12.4.3.1). */
async function privateKeys(
  crypto: MlsCrypto,
  tree: RatchetTree,
  leaf: LeafIndex,
  signer: LeafIndex,
  secrets: GroupSecrets,
  own: OwnKeyPackage,
): Promise<PrivateKeyPath> {
  const ownPath = { leafIndex: leaf, privateKeys: { [leafToNodeIndex(leaf)]: own.secrets.hpkePrivateKey } };
  const { pathSecret } = secrets;
  if (pathSecret === undefined) return ownPath;
  const path = await orUnsound(async () =>
    toPrivateKeyPath(
      await pathToRoot(tree, firstCommonAncestor(tree, leaf, signer), pathSecret, crypto.kdf),
      leaf,
      crypto,
    ),
  );
  for (const [node, key] of Object.entries(path.privateKeys)) {
    const inTree = tree[Number(node)];
    if (inTree !== undefined && !(await isKeyOf(crypto, key, getHpkePublicKey(inTree)))) unsound();
  }
  return mergePrivateKeyPaths(path, ownPath);
}

/** True when what is sealed to the public key opens with the private one. */
async function isKeyOf(crypto: MlsCrypto, privateKey: Uint8Array, publicKey: Uint8Array): Promise<boolean> {
  try {
    const info = new Uint8Array();
    const { enc, ct } = await crypto.hpke.seal(await crypto.hpke.importPublicKey(publicKey), info, info);
    await crypto.hpke.open(await crypto.hpke.importPrivateKey(privateKey), enc, ct, info);
    return true;
  } catch {
    return false;
  }
}

async function orUnsound<T>(step: () => Promise<T | undefined>): Promise<T> {
  try {
    return (await step()) ?? unsound();
  } catch (cause) {
    throw mlsError('ERR_MLS_WELCOME', { cause });
  }
}

function unsound(): never {
  throw mlsError('ERR_MLS_WELCOME');
}
