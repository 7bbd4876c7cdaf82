/**
 * Making a commit (RFC 9420 section 12.4.1): one that removes and adds, always with an update path, framed as a
 * PrivateMessage. Composed from the library's parts because its own function leaves the path out of a commit that only
 * adds. Two commits made from one state share a handshake generation, which section 6.3.1's reuse guard covers; the
 * delivery service takes only one of them.
 */
import type { Timestamp } from '@sealpost/protocol';
import type { ClientState, KeyPackage, Proposal } from 'ts-mls';
import { addHistoricalReceiverData, applyProposals, nextEpochContext } from 'ts-mls/clientState.js';
import { createConfirmationTag, createContentCommitSignature } from 'ts-mls/framedContent.js';
import type { GroupContext } from 'ts-mls/groupContext.js';
import { signGroupInfo } from 'ts-mls/groupInfo.js';
import { makeKeyPackageRef } from 'ts-mls/keyPackage.js';
import { type EpochSecrets, initializeEpoch } from 'ts-mls/keySchedule.js';
import { encodeMlsMessage } from 'ts-mls/message.js';
import { protect } from 'ts-mls/messageProtection.js';
import { getCommitSecret, pathToPathSecrets } from 'ts-mls/pathSecrets.js';
import { mergePrivateKeyPaths, toPrivateKeyPath, updateLeafKey } from 'ts-mls/privateKeyPath.js';
import { emptyPskIndex } from 'ts-mls/pskIndex.js';
import { encodeRatchetTree, type RatchetTree } from 'ts-mls/ratchetTree.js';
import { createSecretTree } from 'ts-mls/secretTree.js';
import { treeHashRoot } from 'ts-mls/treeHash.js';
import { type LeafIndex, leafToNodeIndex, leafWidth, toLeafIndex, toNodeIndex } from 'ts-mls/treemath.js';
import { createUpdatePath, firstCommonAncestor, type PathSecret } from 'ts-mls/updatePath.js';
import { encryptGroupInfo, encryptGroupSecrets } from 'ts-mls/welcome.js';
import { signingAs } from './create-suite.ts';
import { type CredentialCheck, checkCredentials } from './credential.ts';
import type { CommitResult, GroupState, MlsIdentity, VerifyCredential } from './engine.ts';
import { forget } from './forget.ts';
import { type ReadKeyPackage, readKeyPackage } from './key-package.ts';
import { mlsError } from './mls-errors.ts';
import { actingAs } from './own-leaf.ts';
import { leafAt, type MemberState, seal, unseal, withoutBlankKeys } from './state.ts';
import type { MlsCrypto } from './suite.ts';

export interface Change {
  readonly add: readonly Uint8Array[];
  readonly remove: readonly number[];
}

interface Applied {
  readonly tree: RatchetTree;
  readonly added: readonly (readonly [LeafIndex, KeyPackage])[];
}

const NO_DATA = new Uint8Array();

export async function commit(
  provider: MlsCrypto,
  verify: VerifyCredential,
  state: GroupState,
  identity: MlsIdentity,
  change: Change,
  now: Timestamp,
): Promise<CommitResult> {
  const member = unseal(state);
  const check = checkCredentials(verify, now);
  const crypto = signingAs(provider, identity.signer);
  const client = { ...actingAs(member.client, identity), clientConfig: check.config };
  const own = toLeafIndex(client.privatePath.leafIndex);
  const names = await renewedNames(member, check, identity, own);
  const newcomers = await readAll(crypto, check, change.add, now);
  const proposals = toProposals(change.remove, newcomers);
  const applied = await apply(client, proposals, own, crypto, check);

  const [tree, path, pathSecrets, leafKey] = await createUpdatePath(
    withCredential(applied.tree, own, identity),
    own,
    client.groupContext,
    client.signaturePrivateKey,
    crypto,
    applied.added.map(([leaf]) => leafToNodeIndex(leaf)),
  );
  const { framedContent, signature } = await createContentCommitSignature(
    client.groupContext,
    'mls_private_message',
    { proposals: proposals.map((proposal) => ({ proposalOrRefType: 'proposal', proposal })), path },
    { senderType: 'member', leafIndex: own },
    NO_DATA,
    client.signaturePrivateKey,
    crypto.signature,
  );
  const groupContext = await nextEpochContext(
    client.groupContext,
    'mls_private_message',
    framedContent,
    signature,
    await treeHashRoot(tree, crypto.hash),
    client.confirmationTag,
    crypto.hash,
  );
  const commitSecret = await deriveCommitSecret(crypto, tree, pathSecrets);
  const psk = new Uint8Array(crypto.kdf.size);
  const epoch = await initializeEpoch(client.keySchedule.initSecret, commitSecret, groupContext, psk, crypto.kdf);
  const { confirmedTranscriptHash } = groupContext;
  const confirmationTag = await createConfirmationTag(
    epoch.keySchedule.confirmationKey,
    confirmedTranscriptHash,
    crypto.hash,
  );

  const sealed = await protect(
    client.keySchedule.senderDataSecret,
    NO_DATA,
    client.groupContext,
    client.secretTree,
    { ...framedContent, auth: { contentType: 'commit', signature, confirmationTag } },
    own,
    client.clientConfig.paddingConfig,
    crypto,
  );
  const welcome = await createWelcome(
    crypto,
    client,
    { tree, added: applied.added },
    groupContext,
    confirmationTag,
    epoch,
    pathSecrets,
  );
  const privateLeaf = updateLeafKey(client.privatePath, await crypto.hpke.exportPrivateKey(leafKey));
  const privatePath = mergePrivateKeyPaths(
    privateLeaf,
    await toPrivateKeyPath(pathToPathSecrets(pathSecrets), own, crypto),
  );
  const [historicalReceiverData] = addHistoricalReceiverData(client);
  const next = withoutBlankKeys({
    ...client,
    groupContext,
    ratchetTree: tree,
    secretTree: await createSecretTree(leafWidth(tree.length), epoch.encryptionSecret, crypto.kdf),
    keySchedule: epoch.keySchedule,
    privatePath,
    historicalReceiverData,
    confirmationTag,
  });
  for (const { secret } of pathSecrets) secret.fill(0);
  for (const secret of [commitSecret, epoch.joinerSecret, epoch.encryptionSecret, epoch.welcomeSecret]) secret.fill(0);
  forget(sealed.consumed, client, client.secretTree[leafToNodeIndex(own)]);
  return {
    next: seal({ client: next, names: namesAfter(names, change.remove, applied.added, newcomers) }),
    commit: encodeMlsMessage({
      version: 'mls10',
      wireformat: 'mls_private_message',
      privateMessage: sealed.privateMessage,
    }),
    ratchetTree: encodeRatchetTree(tree),
    ...(welcome === undefined ? {} : { welcome }),
  };
}

/** A renewed certificate must name the same member as the one it follows (RFC 9420 section 5.3.1). */
async function renewedNames(
  member: MemberState,
  check: CredentialCheck,
  identity: MlsIdentity,
  own: LeafIndex,
): Promise<ReadonlyMap<number, string>> {
  const leaf = leafAt(member.client.ratchetTree, own);
  if (leaf === undefined) throw mlsError('ERR_MLS_STATE');
  const credential = { credentialType: 'x509' as const, certificates: [...identity.chain] };
  const verified = await check.verified(credential, leaf.signaturePublicKey);
  if (verified === undefined) throw mlsError('ERR_MLS_CREDENTIAL');
  if (verified.uri !== member.names.get(own)) throw mlsError('ERR_MLS_IDENTITY');
  return member.names;
}

function withCredential(tree: RatchetTree, own: LeafIndex, identity: MlsIdentity): RatchetTree {
  const leaf = leafAt(tree, own);
  if (leaf === undefined) throw mlsError('ERR_MLS_STATE');
  const credential = { credentialType: 'x509' as const, certificates: [...identity.chain] };
  return tree.with(leafToNodeIndex(own), { nodeType: 'leaf', leaf: { ...leaf, credential } });
}

async function readAll(
  crypto: MlsCrypto,
  check: CredentialCheck,
  keyPackages: readonly Uint8Array[],
  now: Timestamp,
): Promise<readonly ReadKeyPackage[]> {
  return Promise.all(
    keyPackages.map(async (bytes) => {
      const read = await readKeyPackage(crypto, check, bytes, now);
      if (read === undefined) throw mlsError('ERR_MLS_KEY_PACKAGE');
      return read;
    }),
  );
}

function toProposals(remove: readonly number[], newcomers: readonly ReadKeyPackage[]): Proposal[] {
  return [
    ...remove.map((removed): Proposal => ({ proposalType: 'remove', remove: { removed } })),
    ...newcomers.map(({ keyPackage }): Proposal => ({ proposalType: 'add', add: { keyPackage } })),
  ];
}

async function apply(
  client: ClientState,
  proposals: readonly Proposal[],
  own: LeafIndex,
  crypto: MlsCrypto,
  check: CredentialCheck,
): Promise<Applied> {
  try {
    const inline = proposals.map((proposal) => ({ proposalOrRefType: 'proposal' as const, proposal }));
    const { tree, additionalResult } = await applyProposals(client, inline, own, emptyPskIndex, false, crypto);
    if (additionalResult.kind === 'memberCommit') return { tree, added: additionalResult.addedLeafNodes };
  } catch (cause) {
    check.rethrow();
    throw mlsError('ERR_MLS_CHANGE', { cause });
  }
  throw mlsError('ERR_MLS_CHANGE');
}

/**
 * RFC 9420 section 7.4. Alone in the tree there is no path secret above the leaf; the library would take zeros, which
 * whoever was just removed knows too, so the next epoch starts from a fresh secret that nobody else has to derive.
 */
async function deriveCommitSecret(
  crypto: MlsCrypto,
  tree: RatchetTree,
  pathSecrets: readonly PathSecret[],
): Promise<Uint8Array> {
  const last = pathSecrets.at(-1);
  if (last === undefined) return crypto.rng.randomBytes(crypto.kdf.size);
  return getCommitSecret(tree, toNodeIndex(last.nodeIndex), last.secret, crypto.kdf);
}

/** RFC 9420 section 12.4.3.1. The tree travels beside the welcome, not in it. */
async function createWelcome(
  crypto: MlsCrypto,
  client: ClientState,
  applied: Applied,
  groupContext: GroupContext,
  confirmationTag: Uint8Array,
  epoch: EpochSecrets,
  pathSecrets: readonly PathSecret[],
): Promise<Uint8Array | undefined> {
  if (applied.added.length === 0) return undefined;
  const signer = client.privatePath.leafIndex;
  const info = { groupContext, extensions: [], confirmationTag, signer };
  const groupInfo = await signGroupInfo(info, client.signaturePrivateKey, crypto.signature);
  const encryptedGroupInfo = await encryptGroupInfo(groupInfo, epoch.welcomeSecret, crypto);
  const secrets = await Promise.all(
    applied.added.map(async ([leaf, keyPackage]) => {
      const shared = firstCommonAncestor(applied.tree, leaf, toLeafIndex(signer));
      const pathSecret = pathSecrets.find(({ nodeIndex }) => nodeIndex === shared)?.secret;
      const initKey = await crypto.hpke.importPublicKey(keyPackage.initKey);
      const groupSecrets = { joinerSecret: epoch.joinerSecret, pathSecret, psks: [] };
      const { enc, ct } = await encryptGroupSecrets(initKey, encryptedGroupInfo, groupSecrets, crypto.hpke);
      const newMember = await makeKeyPackageRef(keyPackage, crypto.hash);
      return { newMember, encryptedGroupSecrets: { kemOutput: enc, ciphertext: ct } };
    }),
  );
  const welcome = { cipherSuite: crypto.name, secrets, encryptedGroupInfo };
  return encodeMlsMessage({ version: 'mls10', wireformat: 'mls_welcome', welcome });
}

function namesAfter(
  names: ReadonlyMap<number, string>,
  removed: readonly number[],
  added: Applied['added'],
  newcomers: readonly ReadKeyPackage[],
): ReadonlyMap<number, string> {
  const after = new Map([...names].filter(([leaf]) => !removed.includes(leaf)));
  for (const [at, [leaf]] of added.entries()) {
    const newcomer = newcomers[at];
    if (newcomer !== undefined) after.set(leaf, newcomer.credential.uri);
  }
  return after;
}
